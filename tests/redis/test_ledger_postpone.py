from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Granted, Lost, Ok, Settled
from middleware.timing import DAY_MS
from tests.redis.ledger_calls import MARKER, OTHER, TOKEN
from tests.redis.ledger_view import TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_what_came_too_soon_waits_and_gets_its_attempt_back(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)

    # When
    answer = rig.twice(rig.postpone(delay_ms=5_000))

    # Then
    written, until_ms = rig.snapshot(), rig.clock.now_ms + 5_000
    assert answer == Ok()
    assert written.record["state"] == "waiting"
    assert written.record["not_before"] == str(until_ms)
    assert written.record["attempts"] == "0"
    assert written.record["returns"] == "1"
    assert not written.record.keys() & {
        "token",
        "lease_until",
        "intent_at",
        "reconcile_at",
        "target",
    }
    assert written.due == {"r1": until_ms}
    assert written.counts == {"delayed": 1}
    assert written.history[-1].what == "postponed"
    assert written.history[-1].details == {
        "reason": "ratelimited",
        "delay_ms": 5_000,
        "attempt": "given back",
    }
    assert written.outcomes == ()
    assert written.expiring == frozenset()


def test_an_attempt_that_failed_is_used(rig: Rig) -> None:
    # Given
    rig.claimed()

    # When
    answer = rig.twice(rig.postpone(attempt_used=True))

    # Then
    assert answer == Ok()
    assert rig.record()["attempts"] == "1"


def test_the_next_claim_knows_how_often_it_came_back(rig: Rig) -> None:
    # Given
    rig.accepted()
    for token in ("first", "second"):
        rig.run(rig.claim(token))
        rig.run(rig.postpone(token, delay_ms=0))

    # When
    answer = rig.run(rig.claim("third"))

    # Then
    assert answer == Granted(attempt=1, marker=MARKER, thread_ts=None, returns=2)


def test_a_delay_past_the_expiry_is_cut_there(rig: Rig) -> None:
    # Given
    rig.claimed()
    expires_at_ms = int(rig.record()["expires_at"])

    # When
    rig.run(rig.postpone(delay_ms=2 * DAY_MS))

    # Then
    assert rig.snapshot().due == {"r1": expires_at_ms}


def test_without_a_delay_it_waits_to_be_dispatched_at_once(rig: Rig) -> None:
    # Given
    rig.claimed()

    # When
    rig.twice(rig.postpone(delay_ms=0))

    # Then
    assert rig.snapshot().counts == {"waiting": 1}
    assert rig.snapshot().due == {"r1": rig.clock.now_ms}


@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_it_may_be_told_late_while_nobody_else_holds_it(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.twice(rig.postpone())

    # Then
    assert answer == Ok()


def test_asked_again_late_it_is_still_the_same_return(rig: Rig) -> None:
    # Given
    rig.claimed()
    rig.run(rig.postpone(delay_ms=5_000))
    rig.clock.advance(ms=1_000)

    # When
    answer = rig.unchanged(rig.postpone(delay_ms=5_000))

    # Then
    assert answer == Ok()


def test_who_lost_its_claim_cannot_give_back_that_of_its_successor(rig: Rig) -> None:
    # Given
    rig.claimed(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms)
    assert isinstance(rig.run(rig.claim(OTHER)), Granted)

    # When
    answer = rig.unchanged(rig.postpone(TOKEN))

    # Then
    assert answer == Lost()


def test_who_is_in_doubt_cannot_say_that_nothing_was_posted(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.clock.advance(ms=rig.timing.lease_ms)
    rig.run(rig.sweep())

    # When
    answer = rig.unchanged(rig.postpone(TOKEN))

    # Then
    assert answer == Lost()


def test_a_cancel_asked_for_meanwhile_ends_it(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.run(rig.cancel())

    # When
    answer = rig.twice(rig.postpone())

    # Then
    assert answer == Settled("cancelled")
    assert rig.record()["attempts"] == "0"
    assert rig.told() == ["cancelled"]


@pytest.mark.parametrize("outcome", sorted(set(TERMINAL) - {"cancelled"}))
def test_what_has_ended_is_not_postponed(rig: Rig, outcome: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answer = rig.unchanged(rig.postpone(TOKEN))

    # Then
    assert answer == Lost()


def test_who_gives_back_what_was_cancelled_is_told(rig: Rig) -> None:
    # Given
    rig.ended("cancelled")

    # When
    answer = rig.unchanged(rig.postpone(TOKEN))

    # Then
    assert answer == Settled("cancelled")


def test_of_a_long_history_the_newest_entries_are_kept(rig: Rig) -> None:
    # Given
    rig.accepted()
    for _ in range(101):
        rig.run(rig.claim())
        rig.run(rig.postpone(delay_ms=0))

    # When
    noted = rig.noted()

    # Then
    assert noted == ["claimed", "postponed"] * 100
