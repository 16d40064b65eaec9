"""`postonce up`: projector and workers under one supervisor, for small installations."""

from __future__ import annotations

import sys
from contextlib import suppress

from actors.commands.exit_codes import ExitCode
from actors.commands.logs import log_to_stderr
from actors.commands.supervisor import Supervisor
from actors.settings import Settings
from middleware.errors import LedgerUnavailable
from middleware.timing import SECOND_MS

# Beyond a lease, which is the longest that a worker may hold what it posts.
_STOP_MARGIN_MS = 5 * SECOND_MS


def run_all(*, workers: int, threads: int) -> ExitCode:
    """Return when all have ended, after SIGTERM or Ctrl-C. Raises SettingsRefused, StoreRefused."""
    ledger = Settings.from_environment().ledger()
    log_to_stderr()
    # A store that is down is waited for, by each of them; one of no use would be for ever.
    with suppress(LedgerUnavailable):
        ledger.admit()
    ledger.store.close()
    stop_ms = ledger.timing.lease_ms
    commands: dict[str, tuple[str, ...]] = {"projector": (sys.executable, "-m", "projector")}
    for number in range(1, workers + 1):
        commands[f"worker {number}"] = (
            *(sys.executable, "-m", "dramatiq", "actors.app"),
            *("--processes", "1", "--threads", str(threads)),
            *("--worker-shutdown-timeout", str(stop_ms)),
        )
    supervisor = Supervisor(commands, stop_within_s=(stop_ms + _STOP_MARGIN_MS) / SECOND_MS)
    return ExitCode.DONE if supervisor.run() else ExitCode.REFUSED
