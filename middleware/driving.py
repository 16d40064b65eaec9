"""One flow for sync and async actors: a generator says what to do next, a driver does it.

So claiming, posting and settling are written once; only these few lines differ.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from middleware.ledger import Ledger
    from middleware.script import Call

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """Answered with what the ledger says."""

    call: Call[Any]


@dataclass(frozen=True, slots=True)
class Invoke:
    """Answered with what the user's function returns (awaited for an async actor)."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] | None = None

    def __call__(self) -> Any:  # noqa: ANN401 - the user's function decides
        return self.function(*self.args, **(self.kwargs or {}))


@dataclass(frozen=True, slots=True)
class Pause:
    """Answered with None after so long."""

    seconds: float


Step = Ask | Invoke | Pause
Flow = Generator[Step, Any, T]


def drive(flow: Flow[T], ledger: Ledger) -> T:
    """Run a flow on the calling thread. What a step raises is raised inside the flow."""
    resume: Callable[[Any], Step] = flow.send
    value: Any = None
    while True:
        try:
            step = resume(value)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # StopIteration is not generic
        try:
            match step:
                case Ask(call=call):
                    value = ledger.run(call)
                case Invoke():
                    value = step()
                case Pause(seconds=seconds):
                    time.sleep(seconds)
                    value = None
            resume = flow.send
        except BaseException as error:  # noqa: BLE001 - the flow maps each one to a fate
            resume, value = flow.throw, error


async def adrive(flow: Flow[T], ledger: Ledger) -> T:
    """Run a flow on the running event loop; a cancellation is raised inside the flow too."""
    resume: Callable[[Any], Step] = flow.send
    value: Any = None
    while True:
        try:
            step = resume(value)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # StopIteration is not generic
        try:
            match step:
                case Ask(call=call):
                    value = await ledger.arun(call)
                case Invoke():
                    value = await step()
                case Pause(seconds=seconds):
                    await asyncio.sleep(seconds)
                    value = None
            resume = flow.send
        except BaseException as error:  # noqa: BLE001 - the flow maps each one to a fate
            resume, value = flow.throw, error
