"""The application, with a ledger that has no epochs."""

from __future__ import annotations

from projector.connection import set_ledger
from projector.settings import StoreSettings
from tests.system.epochless import without_epochs

set_ledger(without_epochs(StoreSettings.from_environment().ledger()))

# Composed with the ledger that was set.
from actors.app import broker  # noqa: E402

__all__ = ["broker"]
