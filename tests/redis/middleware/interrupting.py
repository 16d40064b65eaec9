"""Interrupts as Dramatiq makes them, quick enough for tests, and work that waits for one."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any

from dramatiq.middleware import ShutdownNotifications, TimeLimit

from middleware.timing import Timing
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.redis.middleware.application import Application, Kind

# The contract's relations hold, in real time: the deadline passes, then the lease, then the limit.
QUICK = Timing(post_deadline_ms=150, lease_ms=225)
_TIME_LIMIT_MS = 300
_LOOKS_EACH_MS = 10
# Dramatiq's looking for an interrupt of a coroutine, and a slow machine.
_LIMIT_S = 10.0


def time_limit() -> TimeLimit:
    return TimeLimit(time_limit=_TIME_LIMIT_MS, interval=_LOOKS_EACH_MS)


def shutdown_notifications() -> ShutdownNotifications:
    return ShutdownNotifications(notify_shutdown=True)


def boot_process(app: Application) -> None:
    """What the command line does before it starts the worker: the time limit's thread starts."""
    app.broker.emit_after("process_boot")


class Lasting:
    """Work that ends only by an interrupt; `begun` once it is being done."""

    def __init__(self, kind: Kind) -> None:
        self.begun = Event()
        self._kind = kind

    def __call__(self) -> Any:  # noqa: ANN401 - for a coroutine, something to await
        self.begun.set()
        if self._kind == "async":
            return asyncio.Event().wait()
        return wait_until(lambda: False, description="the interrupt", timeout_s=_LIMIT_S)


def wait_for(event: Event, description: str) -> None:
    wait_until(event.is_set, description=description, timeout_s=_LIMIT_S)
