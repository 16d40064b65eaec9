"""The application in a worker that sends itself a signal when its first delivery is at a point.

INTERRUPTED_AT names the point, INTERRUPTED_BY the signal.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.app import broker
from actors.settings import Settings
from actors.slack.installations import Installations
from actors.slack_connection import SlackConnection
from middleware.post_by import PostBy
from projector.connection import get_ledger
from tests.system.guarantees.points import SAYS_SO, PointedGateway

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.slack.message import AuthorizedMessage
    from middleware.fates import PostAnswer
    from tests.system.guarantees.points import Point


class _Once:
    """The signal, once: what is resumed goes on as if nothing had happened."""

    def __init__(self) -> None:
        self._number = signal.Signals[os.environ["INTERRUPTED_BY"]]
        self._is_done = False

    def __call__(self) -> None:
        if self._is_done:
            return
        self._is_done = True
        sys.stderr.write(f"{SAYS_SO}\n")
        sys.stderr.flush()
        # To this thread: by another one it would be noticed some lines later.
        signal.pthread_kill(threading.get_ident(), self._number)


@dataclass(frozen=True, slots=True)
class _LastLook(PostBy):
    """Interrupted after it was asked how much time is left, and before a byte is written."""

    interrupt: _Once

    def remaining_s(self) -> float:
        remaining_s = PostBy.remaining_s(self)
        self.interrupt()
        return remaining_s


class _InterruptedGateway(PointedGateway):
    def __init__(self, interrupt: _Once) -> None:
        settings, ledger = Settings.from_environment(), get_ledger()
        super().__init__(
            self._interrupt_at,
            base_url=settings.slack_url,
            installations=Installations(settings.installations),
            post_deadline_ms=ledger.timing.post_deadline_ms,
        )
        self._interrupt = interrupt
        self._point = os.environ["INTERRUPTED_AT"]

    async def post(
        self, target: Mapping[str, str], authorized: AuthorizedMessage, post_by: PostBy
    ) -> PostAnswer:
        if self._point == "intended":
            post_by = _LastLook(post_by.deadline_s, self._interrupt)
        return await super().post(target, authorized, post_by)

    async def _interrupt_at(self, point: Point) -> None:
        if point == self._point and point != "intended":
            self._interrupt()


for _each in broker.middleware:
    if isinstance(_each, SlackConnection):
        _each.gateway = _InterruptedGateway(_Once())
