"""Signals are waited for like any other input, so that none of them interrupts anything.

An `Event` set by a handler can deadlock with the wait that the handler interrupts; a byte written
to a socket cannot.
"""

from __future__ import annotations

import select
import signal
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType, TracebackType
    from typing import Self

_READ_AT_ONCE = 4_096


class SignalInbox:
    """Collects these signals while its context lasts; main thread only."""

    def __init__(self, signals: Iterable[signal.Signals]) -> None:
        self._signals = tuple(signals)
        self._receiver, self._sender = socket.socketpair()
        self._previous: list[Callable[[int, FrameType | None], object] | int | None] = []
        self._previous_fd = -1

    def wait(self, timeout_s: float | None) -> list[signal.Signals]:
        """Those that came since the last call, at once or within `timeout_s` (None: for ever)."""
        readable, _, _ = select.select([self._receiver], [], [], timeout_s)
        if not readable:
            return []
        came = self._receiver.recv(_READ_AT_ONCE)
        return [signal.Signals(number) for number in came if number in self._signals]

    def __enter__(self) -> Self:
        self._sender.setblocking(False)  # noqa: FBT003 - its signature
        # A full socket means thousands of unread signals; one more tells nothing new.
        self._previous_fd = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        # An ignored signal would write no byte, and stay ignored in the children.
        self._previous = [signal.signal(number, _noticed) for number in self._signals]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in zip(self._signals, self._previous, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_fd)
        self._receiver.close()
        self._sender.close()


def _noticed(_number: int, _frame: FrameType | None) -> None:
    """The byte on the socket says it."""
