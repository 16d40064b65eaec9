"""A worker says again and again that it lives, in the store; who falls silent counts as dead.

It informs a person and decides nothing. Whoever only puts messages on the queue says nothing, so
that a projector or a service is never taken for a worker, whatever the queue is.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from threading import Event, Thread
from typing import TYPE_CHECKING

from middleware.errors import UNHEARD
from middleware.script import Call, Reply, Script

if TYPE_CHECKING:
    from middleware.ledger import Ledger

log = logging.getLogger(__name__)

_NOTE_WORKER = Script.load("middleware", "note_worker")
_FORGET_WORKER = Script.load("middleware", "forget_worker")
_LIVING_WORKERS = Script.load("middleware", "living_workers")

# One write of a worker to the store; seldom beside the sweeper's question each second.
SAID_EVERY_S = 10.0
# How long one that was killed still counts; it may miss to say it twice.
SILENT_MS = 30_000
assert SILENT_MS > 2 * SAID_EVERY_S * 1_000
# A worker that is told to end has other things to end too.
_LONGEST_STOP_S = 1.0
# Two hosts may have the same name, and their processes the same number.
_NAME_BYTES = 8


class Presence:
    """Of one worker; `start` and `stop` belong to its life."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_urlsafe(_NAME_BYTES)}"
        self._stopping = Event()
        # Of its own, for the sweeper's may be busy with a backlog for as long as that takes.
        self._thread = Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Count no more from now on. Where the store stands still it is left to fall silent."""
        self._stopping.set()
        self._thread.join(_LONGEST_STOP_S)

    def _run(self) -> None:
        is_known = False
        while not self._stopping.is_set():
            is_known = self._say(note_worker(self._ledger, self._worker))
            self._stopping.wait(SAID_EVERY_S)
        if is_known:
            self._say(forget_worker(self._ledger, self._worker))

    def _say(self, call: Call[None]) -> bool:
        """Whether it was heard; the sweeper complains of a store that is away."""
        try:
            self._ledger.run(call)
        except UNHEARD as error:
            log.debug("presence.unheard error=%s", error)
        except Exception:
            log.exception("presence.failed")
        else:
            return True
        return False


def note_worker(ledger: Ledger, worker: str) -> Call[None]:
    return Call(_NOTE_WORKER, (ledger.keys.workers(),), (worker, SILENT_MS), _nothing)


def forget_worker(ledger: Ledger, worker: str) -> Call[None]:
    return Call(_FORGET_WORKER, (ledger.keys.workers(),), (worker,), _nothing)


def living_workers(ledger: Ledger) -> Call[int]:
    """How many live; one that was killed is counted for SILENT_MS more."""
    return Call(_LIVING_WORKERS, (ledger.keys.workers(),), (SILENT_MS,), _count)


def _nothing(_: Reply) -> None:
    return None


def _count(reply: Reply) -> int:
    return int(reply[0])
