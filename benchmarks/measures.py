"""What is measured of a system: drain, idle latency, commands; and of the ledger: its size."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from benchmarks.load import requests
from sandbox.waiting import wait_until

if TYPE_CHECKING:
    import redis

    from benchmarks.rig import Rig
    from benchmarks.systems import Naive, Postonce

_WARM_UP = 300
_DRAIN_TIMEOUT_S = 300
_IDLE_TIMEOUT_S = 30
# Longer than a poll of any part, and different each time, so that no request rides on another.
_IDLE_PAUSES_S = (0.11, 0.23, 0.17, 0.31, 0.13)


@dataclass(frozen=True, slots=True)
class Drain:
    """`round_trips` are the server's reads from sockets, polls included."""

    sends_per_s: float
    commands: float
    round_trips: float


@dataclass(frozen=True, slots=True)
class Idle:
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of Redis for each request, everything included (log, ledger, projection)."""

    open_bytes: float
    settled_bytes: float


def measure_drain(rig: Rig, system: Postonce | Naive, count: int) -> Drain:
    """From the first request to the last arrival, with everything warmed up."""
    with system.running(rig):
        system.ask(requests(_WARM_UP))
        rig.wait_for_arrivals(_WARM_UP, timeout_s=_DRAIN_TIMEOUT_S)
        rig.forget_arrivals()
        before = _statistics(rig.client)
        begun_s = time.monotonic()
        system.ask(requests(count))
        arrivals = rig.wait_for_arrivals(count, timeout_s=_DRAIN_TIMEOUT_S)
        took_s = max(arrivals.values()) - begun_s
        _wait_for_rest(rig.client)
        after = _statistics(rig.client)
        rig.forget_arrivals()
    return Drain(
        sends_per_s=count / took_s,
        commands=_difference(before, after, "total_commands_processed") / count,
        round_trips=_difference(before, after, "total_reads_processed") / count,
    )


def measure_idle(rig: Rig, system: Postonce | Naive, count: int) -> Idle:
    """One request at a time, each after a pause: from asking to its arrival."""
    taken_ms = []
    with system.running(rig):
        system.ask(requests(_WARM_UP))
        rig.wait_for_arrivals(_WARM_UP, timeout_s=_DRAIN_TIMEOUT_S)
        for number in range(count):
            time.sleep(_IDLE_PAUSES_S[number % len(_IDLE_PAUSES_S)])
            rig.forget_arrivals()
            begun_s = time.monotonic()
            system.ask(requests(1))
            arrivals = rig.wait_for_arrivals(1, timeout_s=_IDLE_TIMEOUT_S)
            taken_ms.append((min(arrivals.values()) - begun_s) * 1_000)
        rig.forget_arrivals()
    cuts = statistics.quantiles(taken_ms, n=20)
    return Idle(p50_ms=statistics.median(taken_ms), p95_ms=cuts[18])


def measure_size(rig: Rig, system: Postonce, count: int) -> Size:
    """On a server that holds nothing else; what the queue and the clients need is not counted."""
    rig.forget_arrivals()
    empty = _used(rig.client)
    system.ask(requests(count))
    accepted = _used(rig.client)
    with system.running(rig):
        rig.wait_for_arrivals(count, timeout_s=_DRAIN_TIMEOUT_S)
        _wait_for_rest(rig.client)
    settled = _used(rig.client)
    return Size((accepted - empty) / count, (settled - empty) / count)


def _wait_for_rest(client: redis.Redis) -> None:
    from projector.connection import get_ledger  # noqa: PLC0415 - after the environment
    from projector.stats import stats  # noqa: PLC0415

    def is_at_rest() -> bool:
        now = stats(get_ledger())
        return now.projector_lag == now.waiting == now.claimed == now.sending == 0

    if client.exists("postonce:settings"):
        wait_until(is_at_rest, description="everything is settled and folded", timeout_s=60)


def _used(client: redis.Redis) -> int:
    """Bytes of keys, values and their tables: without buffers of clients and of the log."""
    memory: dict[str, Any] = client.memory_stats()
    tables = memory.get("db.0") or {}
    return int(memory["dataset.bytes"]) + sum(int(each) for each in tables.values())


def _statistics(client: redis.Redis) -> dict[str, int]:
    return cast("dict[str, int]", client.info("stats"))


def _difference(before: dict[str, int], after: dict[str, int], name: str) -> int:
    return after[name] - before[name]
