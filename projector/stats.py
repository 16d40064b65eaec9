"""How much stands where, for all tenants together: from counters, never by walking records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from middleware.script import Call, Reply, Script
from middleware.store import failing_closed
from middleware.timing import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from middleware.ledger import Ledger

_PARTITION_STATS = Script.load("projector", "partition_stats")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Open requests by state (`delayed` waits for its time), and those that ended badly.

    `oldest_due_age_s` is how long the most overdue one is due, 0.0 when none is;
    `projector_lag` how many events are not folded yet, and `oldest_unfolded_age_s` how long the
    first of them has waited for it, 0.0 when none does.
    """

    waiting: int
    delayed: int
    claimed: int
    sending: int
    uncertain: int
    unproven: int
    rejected: int
    oldest_due_age_s: float
    projector_lag: int
    oldest_unfolded_age_s: float


def stats(ledger: Ledger) -> Stats:
    """Two round trips. Raises LedgerUnavailable."""
    calls = [_read_partition(ledger, partition) for partition in range(ledger.keys.partitions)]
    while True:
        partitions = ledger.run_many(calls)
        ended_badly = _ended_badly(ledger, partitions)
        if ended_badly is not None:
            break
    unproven, rejected = ended_badly
    return Stats(
        waiting=sum(partition.open[0] for partition in partitions),
        delayed=sum(partition.open[1] for partition in partitions),
        claimed=sum(partition.open[2] for partition in partitions),
        sending=sum(partition.open[3] for partition in partitions),
        uncertain=sum(partition.open[4] for partition in partitions),
        unproven=unproven,
        rejected=rejected,
        oldest_due_age_s=max(partition.overdue_ms for partition in partitions) / SECOND_MS,
        projector_lag=sum(partition.unfolded for partition in partitions),
        oldest_unfolded_age_s=max(partition.unfolded_ms for partition in partitions) / SECOND_MS,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartitionStats:
    now_ms: int
    generation: int
    overdue_ms: int
    unfolded: int
    unfolded_ms: int
    # waiting, delayed, claimed, sending, uncertain
    open: tuple[int, ...]
    tenants: tuple[str, ...]


def _read_partition(ledger: Ledger, partition: int) -> Call[_PartitionStats]:
    keys = ledger.keys
    names = (
        keys.counts(partition),
        keys.tenants(partition),
        keys.projection(partition),
        keys.known(partition),
        keys.requests(partition),
        keys.outcomes(partition),
    )
    return Call(_PARTITION_STATS, names, (), _decode)


def _decode(reply: Reply) -> _PartitionStats:
    now_ms, generation, earliest_due_ms, unfolded, oldest_unfolded_ms, *rest = reply
    overdue_ms = int(now_ms) - int(float(earliest_due_ms)) if earliest_due_ms else 0
    unfolded_ms = int(now_ms) - int(oldest_unfolded_ms) if oldest_unfolded_ms else 0
    return _PartitionStats(
        now_ms=int(now_ms),
        generation=int(generation),
        overdue_ms=max(0, overdue_ms),
        unfolded=int(unfolded),
        # A server that took over may have another time than the one that named the event.
        unfolded_ms=max(0, unfolded_ms),
        open=tuple(int(count) for count in rest[:5]),
        tenants=tuple(rest[5:]),
    )


def _ended_badly(ledger: Ledger, partitions: Sequence[_PartitionStats]) -> tuple[int, int] | None:
    """Those unproven and those rejected within the retention, as far as folded.

    None when a rebuild has put other views in the place of those that were counted.
    """
    keys = ledger.keys
    with failing_closed():
        pipeline = ledger.store.client.pipeline(transaction=False)
        for partition in partitions:
            # What is older is forgotten, also where no later outcome has trimmed it yet.
            oldest_ms = partition.now_ms - ledger.timing.retention_ms
            for tenant in partition.tenants:
                for status in ("unproven", "rejected"):
                    name = keys.listed(tenant, status, partition.generation)
                    pipeline.zcount(name, oldest_ms, "+inf")
        for number in range(len(partitions)):
            pipeline.hget(keys.projection(number), "current")
        replies = pipeline.execute()
    counts, current = replies[: -len(partitions)], replies[-len(partitions) :]
    if any(int(now or 0) != was.generation for now, was in zip(current, partitions, strict=True)):
        return None
    return sum(counts[::2]), sum(counts[1::2])
