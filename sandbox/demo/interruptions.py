"""Ctrl-C, SIGTERM and SIGHUP become an exception, never between a start and who will end it."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType
    from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants it to end; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interruptions:
    """In force while its context lasts; main thread only."""

    def __init__(self) -> None:
        self._deferring = False
        self._came: int | None = None
        self._previous = {number: signal.getsignal(number) for number in _SIGNALS}

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """One that comes meanwhile is raised at the end."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        if self._came is not None:
            raise Interrupted(self._came)

    def ignore(self) -> None:
        """From now on nothing stops the clearing up, which has limits of its own."""
        self._deferring = True

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._deferring:
            self._came = number
        else:
            raise Interrupted(number)
