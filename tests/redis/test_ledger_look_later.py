from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Lost, Ok, Uncertain
from middleware.timing import MINUTE_MS
from tests.redis.ledger_calls import OTHER, TOKEN
from tests.redis.ledger_view import TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


@pytest.mark.parametrize(("completed", "looks"), [(True, "1"), (False, None)])
def test_a_look_that_told_nothing_is_put_off(rig: Rig, *, completed: bool, looks: str) -> None:
    # Given
    rig.looking()

    # When
    answer = rig.twice(rig.look_later(delay_ms=MINUTE_MS, completed=completed))

    # Then
    written, until_ms = rig.snapshot(), rig.clock.now_ms + MINUTE_MS
    assert answer == Ok()
    assert written.record["state"] == "uncertain"
    assert written.record["not_before"] == str(until_ms)
    assert written.record["returns"] == "1"
    assert written.record["attempts"] == "1"
    assert written.record.get("looks") == looks
    assert not written.record.keys() & {"token", "lease_until"}
    assert written.due == {"r1": until_ms}
    assert written.counts == {"uncertain": 1}
    assert written.history[-1].what == "look told nothing"
    assert written.history[-1].details == {"why": "lag", "delay_ms": MINUTE_MS}
    assert written.outcomes == ()
    assert written.expiring == frozenset()


def test_the_next_look_waits_for_its_time_and_knows_how_often_one_came_back(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.run(rig.look_later(delay_ms=MINUTE_MS))
    rig.clock.advance(ms=MINUTE_MS)

    # When
    answer = rig.twice(rig.claim(OTHER))

    # Then
    assert isinstance(answer, Uncertain)
    assert answer.returns == 1


def test_a_look_put_off_late_still_counts_while_nobody_else_looks(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.twice(rig.look_later())

    # Then
    assert answer == Ok()


def test_who_lost_its_look_cannot_put_off_that_of_its_successor(rig: Rig) -> None:
    # Given
    rig.looking(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms)
    assert isinstance(rig.run(rig.claim(OTHER)), Uncertain)

    # When
    answers = [rig.unchanged(rig.look_later(TOKEN)), rig.unchanged(rig.give_up(TOKEN))]

    # Then
    assert answers == [Lost(), Lost()]


def test_each_look_may_be_put_off_even_under_a_name_used_before(rig: Rig) -> None:
    # Given
    rig.looking(TOKEN)
    rig.run(rig.look_later(TOKEN, delay_ms=MINUTE_MS))
    rig.clock.advance(ms=MINUTE_MS)
    rig.run(rig.claim(TOKEN))

    # When
    answer = rig.twice(rig.look_later(TOKEN, delay_ms=MINUTE_MS))

    # Then
    assert answer == Ok()
    assert rig.record()["looks"] == "2"
    assert rig.snapshot().due == {"r1": rig.clock.now_ms + MINUTE_MS}


@pytest.mark.parametrize("place", ["waiting", "claimed", "sending", "uncertain"])
def test_only_who_looks_can_say_what_looking_told(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)

    # When
    answers = [rig.unchanged(rig.look_later(TOKEN)), rig.unchanged(rig.give_up(TOKEN))]

    # Then
    assert answers == [Lost(), Lost()]


@pytest.mark.parametrize("outcome", sorted(set(TERMINAL) - {"unproven"}))
def test_what_has_ended_is_not_looked_for(rig: Rig, outcome: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answers = [rig.unchanged(rig.look_later(TOKEN)), rig.unchanged(rig.give_up(TOKEN))]

    # Then
    assert answers == [Lost(), Lost()]
