"""Scenarios are recorded to find their points; then each point is tried in a run of its own."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.system.crashing.invariants import violations
from tests.system.crashing.parts import Part, part_of
from tests.system.crashing.points import Kind, Strike
from tests.system.crashing.run import Run
from tests.system.crashing.ways_of_sending import come_to_rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.system.crashing.effects import Role
    from tests.system.crashing.points import Place
    from tests.system.crashing.scenarios import Scenario
    from tests.system.crashing.stage import Stage

# What a run does is mostly to wait.
AT_ONCE = 8
# So many effects of a thread, the last one being the place, tell what state it is in.
_REMEMBERED = 4
# Where a run did not come past its point: timing decides which of two ways some of them go, so they
# are tried again, at last alone.
_SMALLER_CROWDS = (2, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Recording:
    """Every place that a scenario comes past, in order."""

    scenario: Scenario
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Point:
    """A place found in a scenario, and what befalls the role there."""

    scenario: Scenario
    strike: Strike

    def __str__(self) -> str:
        return f"{self.scenario.name}:{self.strike}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`is_struck`: the run came past the point. `violations`: what does not hold afterwards."""

    point: Point
    is_struck: bool
    violations: Sequence[str]
    took_s: float

    @property
    def holds(self) -> bool:
        return self.is_struck and not self.violations

    @property
    def is_conclusive(self) -> bool:
        return self.is_struck or bool(self.violations)

    def __str__(self) -> str:
        what = "; ".join(self.violations) or ("holds" if self.is_struck else "never reached")
        return (
            f"{self.point}: {what}\n"
            f"  only this one: python -m tests.system.crashing --point '{self.point}'"
        )


def record(stage: Stage, scenario: Scenario) -> Recording:
    """Raises AssertionError when the scenario goes wrong though nothing is struck."""
    with Run(stage, scenario.troubles) as run:
        scenario.play(run)
        come_to_rest(run)
        found = violations(run, scenario)
        assert not found, f"{scenario.name} goes wrong by itself: {found}"
        return Recording(scenario, tuple(run.watch.places))


def record_all(stage: Stage, scenarios: Sequence[Scenario]) -> list[Recording]:
    """Each as it goes twice: what a busy machine brings about once cannot be tried."""
    twice = [scenario for scenario in scenarios for _ in range(2)]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="recording") as threads:
        recordings = list(threads.map(partial(record, stage), twice))
    return [
        Recording(first.scenario, tuple(place for place in first.places if place in second.places))
        for first, second in zip(recordings[::2], recordings[1::2], strict=True)
    ]


def points_of(recordings: Sequence[Recording]) -> list[Point]:
    """What may befall each role at each place: once where the same few effects led to it."""
    found = []
    known: set[tuple[str, ...]] = set()
    for recording in recordings:
        for place, way in _with_ways(recording):
            if way not in known:
                known.add(way)
                kinds = [kind for kind in Kind if _fits(place, kind)]
                found += [Point(recording.scenario, Strike(place, kind)) for kind in kinds]
    return found


def try_all(
    stage: Stage,
    points: Sequence[Point],
    *,
    told: Callable[[Verdict], None],
    at_once: int = AT_ONCE,
) -> list[Verdict]:
    """`told` hears of each as it ends. What was not reached is tried again in less of a crowd."""
    verdicts: dict[Point, Verdict] = {}
    for crowd in (at_once, *_SMALLER_CROWDS):
        left = [each for each in points if each not in verdicts or not verdicts[each].is_conclusive]
        with ThreadPoolExecutor(crowd, thread_name_prefix="run") as threads:
            for verdict in threads.map(partial(_try, stage), left):
                verdicts[verdict.point] = verdict
                told(verdict)
    return [verdicts[each] for each in points]


def _try(stage: Stage, point: Point) -> Verdict:
    began_s = time.monotonic()
    scenario = point.scenario
    with Run(stage, (*scenario.troubles, point.strike)) as run:
        try:
            scenario.play(run)
            come_to_rest(run)
            if not run.watch.is_done:
                run.linger()
                come_to_rest(run)
        except TimeoutError as error:
            run.crew.notices.append(str(error))
        found = violations(run, scenario)
        is_struck = point.strike in run.watch.struck
    return Verdict(point, is_struck, found, time.monotonic() - began_s)


def _fits(place: Place, kind: Kind) -> bool:
    match kind:
        case Kind.BEFORE | Kind.MISSED:
            # Asked before, with nothing new since: it is the same as after the place before.
            return place.arrival is not None
        case Kind.UNHEARD:
            return place.client == "store"
        case _:
            return True


def _with_ways(recording: Recording) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """Each with the last effects of its thread, itself among them."""
    ways: defaultdict[tuple[Role, Part], tuple[str, ...]] = defaultdict(tuple)
    apart = (recording.scenario.name,) if recording.scenario.is_apart else ()
    for place in recording.places:
        part = part_of(place.role, place.name)
        thread = (place.role, Part.ACTOR if part is Part.RECONCILER else part)
        ways[thread] = (*ways[thread], str(place).rpartition("#")[0])[-_REMEMBERED:]
        # A sweeper finds a delivery as the actor has left it.
        left = ways[place.role, Part.ACTOR][-1:] if part is Part.SWEEPER else ()
        yield place, (*apart, *ways[thread], *left)
