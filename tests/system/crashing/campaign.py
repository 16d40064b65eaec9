"""Scenarios are recorded to find their points; then each point is tried in a run of its own."""

from __future__ import annotations

from collections import Counter, defaultdict
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
    from collections.abc import Iterator, Sequence

    from tests.system.crashing.effects import Role
    from tests.system.crashing.points import Place
    from tests.system.crashing.scenarios import Scenario
    from tests.system.crashing.stage import Stage

# What a run does is mostly to wait.
AT_ONCE = 8
# So many effects of a thread, the last one being the place, tell what state it is in.
_REMEMBERED = 4
# What was late or not reached is tried again in less of a crowd; the latter so many times.
_SMALLER_CROWD = 2
_TRIED_AGAIN = 3
# What a busy machine brings about is not there again. More than so many of a scenario's points, and
# more than that share of them, and it is the scenario that does not come past them any more.
_MAY_VANISH, _MAY_VANISH_SHARE = 2, 0.02


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
    """`is_struck`: the run came past the point. `is_late`: it did not come to rest in time.
    `violations`: what does not hold afterwards.
    """

    point: Point
    is_struck: bool
    is_late: bool
    violations: Sequence[str]

    @property
    def holds(self) -> bool:
        return self.is_struck and not self.violations

    @property
    def was_missed(self) -> bool:
        """The run came to rest and did not come past it."""
        return not self.is_struck and not self.violations

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


def try_all(stage: Stage, points: Sequence[Point], *, at_once: int = AT_ONCE) -> list[Verdict]:
    """Without points that a busy machine had brought about and another recording does not have."""
    verdicts = _try_each(stage, points, at_once=at_once)
    # A busy machine may be late; what is lost is late again.
    late = [point for point, verdict in verdicts.items() if verdict.is_late]
    verdicts |= _try_each(stage, late, at_once=_SMALLER_CROWD)
    for _ in range(_TRIED_AGAIN):
        missed = [point for point, verdict in verdicts.items() if verdict.was_missed]
        there = _still_there(stage, missed)
        for point in missed:
            del verdicts[point]
        verdicts |= _try_each(stage, there, at_once=_SMALLER_CROWD)
    return [verdicts[each] for each in points if each in verdicts]


def vanished(points: Sequence[Point], verdicts: Sequence[Verdict]) -> list[str]:
    """What is wrong with it where too many of a scenario's points were not there again: a sentence
    for each scenario, which names them.
    """
    tried = {each.point for each in verdicts}
    found = Counter(each.scenario.name for each in points)
    gone: defaultdict[str, list[Point]] = defaultdict(list)
    for each in points:
        if each not in tried:
            gone[each.scenario.name].append(each)
    return [
        f"{len(those)} of {found[name]} points of {name} were not there again: "
        f"{', '.join(map(str, those))}"
        for name, those in gone.items()
        if len(those) > max(_MAY_VANISH, _MAY_VANISH_SHARE * found[name])
    ]


def _try_each(stage: Stage, points: Sequence[Point], *, at_once: int) -> dict[Point, Verdict]:
    with ThreadPoolExecutor(at_once, thread_name_prefix="run") as threads:
        return dict(zip(points, threads.map(partial(_try, stage), points), strict=True))


def _still_there(stage: Stage, points: Sequence[Point]) -> list[Point]:
    """Those whose scenarios come past them also when they are recorded anew."""
    scenarios = {each.scenario.name: each.scenario for each in points}
    places = {name: record(stage, each).places for name, each in scenarios.items()}
    return [each for each in points if each.strike.place in places[each.scenario.name]]


def _try(stage: Stage, point: Point) -> Verdict:
    scenario = point.scenario
    is_late = False
    with Run(stage, (*scenario.troubles, point.strike)) as run:
        try:
            scenario.play(run)
            come_to_rest(run)
            if not run.watch.is_done:
                run.linger()
                come_to_rest(run)
        except TimeoutError as error:
            is_late = True
            run.crew.notices.append(str(error))
        found = violations(run, scenario)
        return Verdict(point, point.strike in run.watch.struck, is_late, found)


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
