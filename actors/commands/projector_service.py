"""`postonce projector`: the same projector as `python -m projector`, with this application."""

from __future__ import annotations

from actors.app import broker
from actors.commands.exit_codes import ExitCode
from actors.commands.logs import log_to_stderr
from projector.connection import get_ledger
from projector.projector import Projector


def run_projector(*, verbose: bool) -> ExitCode:
    """Return after SIGTERM or Ctrl-C. Raises StoreRefused; waits for a store that is down."""
    log_to_stderr(verbose=verbose)
    Projector(get_ledger(), broker).run()
    return ExitCode.DONE
