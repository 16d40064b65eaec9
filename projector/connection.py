"""The ledger of this process: the one set, else one made from the environment when first asked for.

Neither importing this nor making a ledger does any I/O, so that a service may import it anywhere.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from projector.settings import StoreSettings

if TYPE_CHECKING:
    from middleware.ledger import Ledger


def set_ledger(ledger: Ledger | None) -> None:
    """Use this ledger from now on; None: make one from the environment when next asked for."""
    with _LOCK:
        _Current.ledger = ledger


def get_ledger() -> Ledger:
    """Raise SettingsRefused when none was set and the environment does not make one."""
    with _LOCK:
        if _Current.ledger is None:
            _Current.ledger = StoreSettings.from_environment().ledger()
        return _Current.ledger


class _Current:
    ledger: ClassVar[Ledger | None] = None


_LOCK = Lock()
