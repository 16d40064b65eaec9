from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Lost, Ok, Uncertain
from tests.redis.ledger_calls import OTHER, TOKEN
from tests.redis.ledger_view import TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def test_a_post_of_unknown_fate_is_looked_into_when_it_must_have_settled(rig: Rig) -> None:
    # Given
    rig.sending()
    intent_at_ms = rig.clock.now_ms
    rig.clock.advance(ms=2_000)

    # When
    answer = rig.twice(rig.doubt())

    # Then
    written, timing = rig.snapshot(), rig.timing
    assert answer == Ok()
    assert written.record["state"] == "uncertain"
    assert written.record["intent_at"] == str(intent_at_ms)
    assert written.record["attempts"] == "1"
    assert not written.record.keys() & {"token", "lease_until"}
    assert written.due == {"r1": intent_at_ms + timing.post_deadline_ms + timing.settle_delay_ms}
    assert written.counts == {"uncertain": 1}
    assert written.history[-1].what == "uncertain"
    assert written.history[-1].details == {"why": "timeout"}
    assert written.outcomes == ()
    assert written.expiring == frozenset()


def test_a_doubt_told_after_the_lease_is_taken(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.twice(rig.doubt())

    # Then
    assert answer == Ok()


def test_a_doubt_that_the_sweeper_had_first_is_agreed_with(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.clock.advance(ms=rig.timing.lease_ms)
    rig.run(rig.sweep())

    # When
    answer = rig.unchanged(rig.doubt())

    # Then
    assert answer == Ok()


def test_a_doubt_changes_nothing_for_who_is_looking_already(rig: Rig) -> None:
    # Given
    rig.uncertain(TOKEN)
    rig.then_settled_down()
    assert isinstance(rig.run(rig.claim(OTHER)), Uncertain)

    # When
    answer = rig.unchanged(rig.doubt(TOKEN))

    # Then
    assert answer == Ok()


@pytest.mark.parametrize("place", ["claimed", *TERMINAL])
def test_without_an_intent_there_is_nothing_to_doubt(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)

    # When
    answer = rig.unchanged(rig.doubt(TOKEN))

    # Then
    assert answer == Lost()
