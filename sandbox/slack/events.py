"""The stream of what happens, for pages that look on: nothing is missed, or they are told so.

Each event has an id. A page that comes back with the last id it saw gets the rest, or `reset` when
the rest is no longer kept (or belongs to an earlier run), and then reads everything anew.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

# A page that was away for longer reads everything anew; a few megabytes at most.
_KEPT = 5_000


class EventLog:
    def __init__(self, *, kept: int = _KEPT) -> None:
        self._run = secrets.token_hex(3)
        self._last = 0
        self._events: deque[bytes] = deque(maxlen=kept)
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def last_id(self) -> str:
        return self._id(self._last)

    def append(self, kind: str, data: Mapping[str, Any]) -> None:
        self._last += 1
        self._events.append(_frame(kind, data, event_id=self.last_id))
        self._wake()

    def close(self) -> None:
        """End every stream after what it still has to say."""
        self._closed = True
        self._wake()

    async def after(self, event_id: str) -> AsyncIterator[bytes]:
        """Frames ready to be sent, several at a time if several happened."""
        seen = self._number(event_id)
        while True:
            changed = self._changed
            if seen is None or seen < self._last - len(self._events):
                yield _frame("reset", {}, event_id=self.last_id)
                seen = self._last
            elif seen < self._last:
                news = list(self._events)[seen - self._last :]
                seen = self._last
                yield b"".join(news)
            elif self._closed:
                return
            else:
                await changed.wait()

    def _id(self, number: int) -> str:
        return f"{self._run}-{number}"

    def _number(self, event_id: str) -> int | None:
        run, _, number = event_id.partition("-")
        if run != self._run or not number.isdecimal() or int(number) > self._last:
            return None
        return int(number)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _frame(kind: str, data: Mapping[str, Any], *, event_id: str) -> bytes:
    return f"id: {event_id}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()
