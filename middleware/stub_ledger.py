"""`StubLedger`: the ledger for tests with `StubBroker`, in memory, with a clock the test moves.

It runs the same scripts as production, on an in-memory server, so that a test against it cannot
pass by a difference. Needs the extra `testing`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import fakeredis

from middleware.admission import Admission
from middleware.epochs import enter_epochs
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    import redis.asyncio


class ManualClock:
    """Stands still until it is moved; starts at the present, because keys expire by real time."""

    def __init__(self) -> None:
        self.now_ms = int(time.time() * 1_000)

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, *, ms: int) -> None:
        self.now_ms += ms


def one_server() -> str:
    """Run id, replication id, and that it has followed no other server."""
    return f"1 1 {0:040x}"


class StubStore(Store):
    """A store without a server; each one is empty at first."""

    def __init__(self, clock: ManualClock, identity: Callable[[], str]) -> None:
        super().__init__("stub://", clock_ms=clock, identity=identity)
        self._server = fakeredis.FakeServer()

    def _connect(self) -> redis.Redis:
        return fakeredis.FakeRedis(server=self._server, decode_responses=True, protocol=2)

    def _connect_async(self) -> redis.asyncio.Redis:
        asyncio.get_running_loop()
        return fakeredis.FakeAsyncRedis(server=self._server, decode_responses=True, protocol=2)


class StubLedger(Ledger):
    """A ledger in memory; `clock.advance(ms=...)` makes time pass. Another `identity` is another
    server, which may have lost writes.
    """

    __slots__ = ("clock",)
    clock: ManualClock

    def __init__(
        self, timing: Timing | None = None, *, identity: Callable[[], str] = one_server
    ) -> None:
        clock = ManualClock()
        super().__init__(StubStore(clock, identity), Keys(partitions=1), timing or Timing())
        object.__setattr__(self, "clock", clock)
        object.__setattr__(self, "_admission", _Admitted(self.store, self.keys, self.timing))


class _Admitted(Admission):
    """Nothing is evicted, and nothing is kept either."""

    def ensure(self) -> None:
        if not self._is_admitted:
            enter_epochs(self._store, self._keys, self._timing, is_durable=False)
            self._is_admitted = True

    async def aensure(self) -> None:
        self.ensure()
