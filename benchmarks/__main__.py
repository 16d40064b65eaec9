"""`python -m benchmarks`: postonce against the design it replaces, in the same run.

Figures move from machine to machine, ratios of one run hold.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.measures import Drain, Idle, Size, measure_drain, measure_idle, measure_size
from benchmarks.rig import Ports, choose_ports, rig
from benchmarks.systems import PROCESSES, THREADS, Naive, Postonce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.servers import Fsync

# What this project holds itself to; see the issue that each figure comes from.
MOST_ROUND_TRIPS = 12
MOST_SETTLED_BYTES = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    requests: int
    rounds: int
    idle: int
    appendfsync: Fsync


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every figure is within what the project holds itself to, else 1."""
    options = _options(arguments)
    console = Console()
    console.print(
        f"{options.rounds} rounds of {options.requests} requests, {PROCESSES} processes of "
        f"{THREADS} threads each, appendfsync {options.appendfsync}"
    )
    ports = choose_ports()
    with rig(ports, options.appendfsync) as size_rig:
        ours = Postonce()
        ours.prepare()
        size = measure_size(size_rig, ours, options.requests)
    ours_figures, naive_figures = _drains(options, ports, console)
    with rig(ports, options.appendfsync) as idle_rig:
        ours.prepare()
        idle = {each.name: measure_idle(idle_rig, each, options.idle) for each in (ours, Naive())}
    return _report(console, ours_figures, naive_figures, idle, size)


def _drains(options: Options, ports: Ports, console: Console) -> tuple[list[Drain], list[Drain]]:
    """Interleaved, each on a fresh server, so that a machine that slows down slows both."""
    drains: dict[str, list[Drain]] = {Postonce.name: [], Naive.name: []}
    for number in range(options.rounds):
        for system in (Postonce(), Naive()):
            with rig(ports, options.appendfsync) as fresh:
                system.prepare()
                drain = measure_drain(fresh, system, options.requests)
            drains[system.name].append(drain)
            console.print(f"round {number + 1}: {system.name} {drain.sends_per_s:.0f} sends/s")
    return drains[Postonce.name], drains[Naive.name]


def _report(
    console: Console, ours: list[Drain], naive: list[Drain], idle: dict[str, Idle], size: Size
) -> int:
    table = Table("", Postonce.name, Naive.name, "ratio")

    def compare(name: str, left: float, right: float) -> None:
        table.add_row(name, f"{left:.1f}", f"{right:.1f}", f"{left / right:.2f}")

    ratio = median(a.sends_per_s / b.sends_per_s for a, b in zip(ours, naive, strict=True))
    our_rate = median(drain.sends_per_s for drain in ours)
    naive_rate = median(drain.sends_per_s for drain in naive)
    table.add_row("sends/s", f"{our_rate:.0f}", f"{naive_rate:.0f}", f"{ratio:.2f}")
    our_idle, naive_idle = idle[Postonce.name], idle[Naive.name]
    compare("idle, request to post, p50 ms", our_idle.p50_ms, naive_idle.p50_ms)
    compare("idle, request to post, p95 ms", our_idle.p95_ms, naive_idle.p95_ms)
    round_trips = median(drain.round_trips for drain in ours)
    compare("round trips a request", round_trips, median(drain.round_trips for drain in naive))
    compare(
        "commands a request (in scripts too)",
        median(drain.commands for drain in ours),
        median(drain.commands for drain in naive),
    )
    table.add_row("bytes an open request", f"{size.open_bytes:.0f}", "", "")
    table.add_row("bytes a settled request", f"{size.settled_bytes:.0f}", "", "")
    console.print(table)
    return _verdict(console, ratio, round_trips, size)


def _verdict(console: Console, ratio: float, round_trips: float, size: Size) -> int:
    held = {
        "no slower than naive": ratio >= 1,
        f"at most {MOST_ROUND_TRIPS} round trips": round_trips <= MOST_ROUND_TRIPS,
        f"at most {MOST_SETTLED_BYTES} bytes settled": size.settled_bytes <= MOST_SETTLED_BYTES,
    }
    for claim, holds in held.items():
        console.print(f"{'holds' if holds else 'DOES NOT HOLD'}: {claim}")
    return 0 if all(held.values()) else 1


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare postonce with the design it replaces, in the same run.",
        epilog="example: python -m benchmarks --requests 1000 --rounds 1",
    )
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=60, help="requests made one at a time")
    parser.add_argument("--appendfsync", choices=("always", "everysec", "no"), default="always")
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
