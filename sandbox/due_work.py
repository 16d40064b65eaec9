"""Projector, sweeper and worker, run on demand until nothing is due; only `drain` moves the clock.

No delivery keeps it going for ever: what settles nothing for long enough is named, with the reason.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, cast

from dramatiq import Worker
from dramatiq.errors import QueueJoinTimeout

from middleware.keys import Delivery
from middleware.sweeper import Sweeper
from middleware.timing import MINUTE_MS, SECOND_MS
from projector.partition_projector import PartitionProjector
from projector.stats import stats
from sandbox.errors import NeverSettles, WorkersStuck
from sandbox.why_open import why_open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dramatiq.brokers.stub import StubBroker

    from middleware.ledger import Ledger
    from middleware.stub_ledger import StubLedger

# A stub ledger has one partition.
_PARTITION = 0
# How long an idle worker blocks on its queue, and so how long it takes to stop.
_POLL_MS = 10
# One POST at a time, so that a fault strikes one delivery before the next is tried.
_THREADS = 1
# Real time for what stands on the queue: an unanswered POST takes one second of it.
_JOIN_MS = 30 * SECOND_MS
# Backoff, looks and windows settle anything within twenty moves of the clock, unless what holds it
# up stays as it is: a tenant that is not enabled, a rate limit without end.
_MOVES_EACH = 50
# Without a move of the clock nothing comes back more often than this.
_ROUNDS = 1_000


class DueWork:
    """Leaves no thread behind."""

    def __init__(self, ledger: StubLedger, broker: StubBroker) -> None:
        self._ledger = ledger
        self._broker = broker
        self._sweeper = Sweeper(ledger, broker)

    def do(self) -> None:
        """Everything due now. Raises WorkersStuck."""
        with self._worker():
            self._do()

    def drain(self) -> None:
        """As `do`, moving the clock on, until no delivery is open. Raises NeverSettles too."""
        begun_ms = self._ledger.clock.now_ms
        moves, last_open = 0, -1
        with self._worker():
            while True:
                self._do()
                open_ones = self._open()
                if not open_ones:
                    return
                moves = moves + 1 if len(open_ones) == last_open else 0
                last_open = len(open_ones)
                ahead_ms = min(open_ones.values()) - self._ledger.clock.now_ms
                if moves > _MOVES_EACH * len(open_ones):
                    passed_ms = self._ledger.clock.now_ms - begun_ms
                    reasons = [why_open(self._ledger, delivery) for delivery in open_ones]
                    raise NeverSettles(passed_min=passed_ms // MINUTE_MS, open_ones=reasons)
                self._ledger.clock.advance(ms=max(0, ahead_ms))

    def _do(self) -> None:
        for _ in range(_ROUNDS):
            self._project()
            self._sweeper.sweep()
            if not any(queue.unfinished_tasks for queue in self._broker.queues.values()):
                return
            for name in self._broker.get_declared_queues():
                self._join(name)
        raise WorkersStuck(f"after {_ROUNDS} rounds there is still something due at once")

    def _project(self) -> None:
        projector = PartitionProjector(
            self._ledger, self._broker, _PARTITION, lease_ms=SECOND_MS, block_ms=1
        )
        folded = _Folded(self._ledger)
        projector.run(folded)
        if folded.looks > _ROUNDS:
            raise WorkersStuck("the projector does not come to the end of the event log")

    def _join(self, queue_name: str) -> None:
        try:
            self._broker.join(queue_name, timeout=_JOIN_MS)
        except QueueJoinTimeout:
            waited_s = _JOIN_MS // SECOND_MS
            raise WorkersStuck(f"the queue {queue_name} is not empty after {waited_s} s") from None

    def _open(self) -> dict[Delivery, int]:
        """Each with its due time, earliest first: every open record is due some day."""
        client, keys = self._ledger.store.client, self._ledger.keys
        found = [
            (int(due_ms), Delivery(tenant, id_))
            for tenant in cast("list[str]", client.zrange(keys.tenants(_PARTITION), 0, -1))
            for id_, due_ms in cast(
                "list[tuple[str, float]]",
                client.zrange(keys.due(tenant), 0, -1, withscores=True),
            )
        ]
        return {delivery: due_ms for due_ms, delivery in sorted(found, key=lambda one: one[0])}

    @contextmanager
    def _worker(self) -> Iterator[None]:
        worker = Worker(self._broker, worker_timeout=_POLL_MS, worker_threads=_THREADS)
        installed = list(self._broker.middleware)
        worker.start()
        try:
            yield
        finally:
            worker.stop()
            # A worker adds middleware of its own, which would start threads for later queues.
            self._broker.middleware[:] = installed


class _Folded(Event):
    """Tells a projector to stop as soon as there is nothing left to fold."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger
        self.looks = 0

    def is_set(self) -> bool:
        self.looks += 1
        return self.looks > _ROUNDS or stats(self._ledger).projector_lag == 0
