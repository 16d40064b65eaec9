"""Stores on the session's server that fail a test's script at a chosen moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from middleware.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from middleware.script import Call
    from middleware.stub_ledger import ManualClock

T = TypeVar("T")


class InterruptedStore(Store):
    """Raises `interrupt` in place of the first answer to `script`, which has run by then or not."""

    def __init__(
        self,
        url: str,
        clock: ManualClock,
        *,
        script: str,
        interrupt: BaseException,
        has_run: bool,
    ) -> None:
        super().__init__(url, clock_ms=clock)
        self._script = script
        self._interrupt: BaseException | None = interrupt
        self._has_run = has_run

    def run(self, call: Call[T]) -> T:
        interrupt = self._interrupt_of(call)
        if interrupt is None:
            return super().run(call)
        if self._has_run:
            super().run(call)
        raise interrupt

    def run_many(self, calls: Sequence[Call[T]]) -> list[T]:
        for interrupt in filter(None, map(self._interrupt_of, calls)):
            raise interrupt
        return super().run_many(calls)

    async def arun(self, call: Call[T]) -> T:
        interrupt = self._interrupt_of(call)
        if interrupt is None:
            return await super().arun(call)
        if self._has_run:
            await super().arun(call)
        raise interrupt

    def _interrupt_of(self, call: Call[T]) -> BaseException | None:
        if call.script.name != self._script:
            return None
        interrupt, self._interrupt = self._interrupt, None
        return interrupt


class SlowStore(Store):
    """Answers `script` so much later that its first reply was lost and it was asked again."""

    def __init__(self, url: str, clock: ManualClock, *, script: str, later_ms: int) -> None:
        super().__init__(url, clock_ms=clock)
        self._clock = clock
        self._script = script
        self._later_ms = later_ms

    def run(self, call: Call[T]) -> T:
        answer = super().run(call)
        if call.script.name != self._script:
            return answer
        self._clock.advance(ms=self._later_ms)
        return super().run(call)

    async def arun(self, call: Call[T]) -> T:
        answer = await super().arun(call)
        if call.script.name != self._script:
            return answer
        self._clock.advance(ms=self._later_ms)
        return await super().arun(call)
