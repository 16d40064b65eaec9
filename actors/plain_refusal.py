"""A worker process that cannot keep the promise ends with a sentence, as a command does.

Dramatiq's worker process is its own caller: what is raised at its start nobody can catch, and a
traceback would be all that is seen of it. Whoever else imports the composition root can.
"""

from __future__ import annotations

import sys
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dramatiq.middleware import Middleware

from actors.commands.failures import failure_of
from middleware.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

    from dramatiq import Broker

    from middleware.ledger import Ledger


@contextmanager
def refusing_plainly() -> Iterator[None]:
    """In a worker process, end it by SystemExit for what a user can bring about."""
    try:
        yield
    except Exception as error:
        failure = failure_of(error) if _is_worker_process() else None
        if failure is None:
            raise
        # Not on the way that Dramatiq has put in place of stderr: its main process may have ended
        # before it has read that.
        for line in failure.lines:
            print(f"postonce: {line}", file=sys.__stderr__, flush=True)
        raise SystemExit(failure.exit_code) from None


class PlainRefusal(Middleware):
    """Asks whether the store may be trusted before `SendLock` does, which can only raise."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def after_process_boot(self, broker: Broker) -> None:
        # A store that is away is waited for.
        with refusing_plainly(), suppress(LedgerUnavailable):
            self._ledger.admit()


def _is_worker_process() -> bool:
    """Whether Dramatiq's command line (2.2) is starting one: its function calls what runs now."""
    # Not imported for this: who nudges from a service needs none of it.
    command_line = sys.modules.get("dramatiq.cli")
    if command_line is None:
        return False
    starting: CodeType = command_line.worker_process.__code__
    return any(frame.f_code is starting for frame, _ in traceback.walk_stack(None))
