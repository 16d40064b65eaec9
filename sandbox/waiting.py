"""Waiting for something to become true, with a limit and a name, in place of a sleep."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

# Short against anything a person or a test notices, long against the cost of asking.
_PAUSE_S = 0.01


def wait_until(
    predicate: Callable[[], T], *, description: str | Callable[[], str], timeout_s: float = 5.0
) -> T:
    """Return the predicate's first true answer; raises TimeoutError naming what never came.

    A description that is a function is asked only then, and may say what there was instead.
    """
    for _ in _until(description, timeout_s):
        if answer := predicate():
            return answer
        time.sleep(_PAUSE_S)
    raise AssertionError  # _until never ends by itself


async def wait_in_loop_until(
    predicate: Callable[[], T], *, description: str | Callable[[], str], timeout_s: float = 5.0
) -> T:
    """As `wait_until`, letting the event loop run meanwhile."""
    for _ in _until(description, timeout_s):
        if answer := predicate():
            return answer
        await asyncio.sleep(_PAUSE_S)
    raise AssertionError  # _until never ends by itself


def _until(description: str | Callable[[], str], timeout_s: float) -> Iterator[None]:
    deadline_s = time.monotonic() + timeout_s
    while True:
        # A predicate gets its last chance after the deadline, however slow the machine.
        is_last = time.monotonic() >= deadline_s
        yield
        if is_last:
            described = description if isinstance(description, str) else description()
            raise TimeoutError(f"waited {timeout_s} s in vain: {described}")
