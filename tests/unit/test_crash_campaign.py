from __future__ import annotations

import pytest

from tests.system.crashing.campaign import Point, Verdict, vanished
from tests.system.crashing.points import Kind, Place, Strike
from tests.system.crashing.scenarios import SCENARIOS

FIRST, SECOND = SCENARIOS[:2]


def points(count: int, *, of: int = 0) -> list[Point]:
    scenario = SCENARIOS[of]
    places = [Place("worker", "store", "claim", "granted", number, None) for number in range(count)]
    return [Point(scenario, Strike(place, Kind.AFTER)) for place in places]


def tried(some: list[Point]) -> list[Verdict]:
    return [Verdict(each, is_struck=True, is_late=False, violations=()) for each in some]


@pytest.mark.parametrize(("count", "gone"), [(10, 2), (100, 2), (300, 6)])
def test_a_few_points_may_have_been_there_by_chance(count: int, gone: int) -> None:
    # Given
    found = points(count)

    # Then
    assert vanished(found, tried(found[gone:])) == []


@pytest.mark.parametrize(("count", "gone"), [(3, 3), (100, 3), (300, 7)])
def test_a_scenario_that_does_not_come_past_more_of_them_fails(count: int, gone: int) -> None:
    # Given
    found = points(count)

    # When
    (failed,) = vanished(found, tried(found[gone:]))

    # Then
    assert failed.startswith(f"{gone} of {count} points of {FIRST.name} ")
    assert all(str(each) in failed for each in found[:gone])


def test_what_vanished_is_counted_by_scenario() -> None:
    # Given
    found = [*points(100), *points(100, of=1)]

    # When
    few = vanished(found, tried([*found[2:100], *found[102:]]))
    many = vanished(found, tried([*found[2:100], *found[103:]]))

    # Then
    assert few == []
    assert [each.split()[5] for each in many] == [SECOND.name]
