from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Go, Granted, Lost, Reclaimed, Settled
from tests.redis.ledger_calls import OTHER, TARGET, TOKEN
from tests.redis.ledger_view import TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig

ELSEWHERE = {"channel": "C2", "team": "T1"}


def test_an_intent_is_marked_before_there_may_be_a_post(rig: Rig) -> None:
    # Given
    rig.claimed()
    rig.clock.advance(ms=1_000)

    # When
    answer = rig.twice(rig.intend())

    # Then
    written, now_ms = rig.snapshot(), rig.clock.now_ms
    timing = rig.timing
    assert answer == Go(timing.post_deadline_ms, TARGET)
    assert written.record["state"] == "sending"
    assert written.record["intent_at"] == str(now_ms)
    assert written.record["lease_until"] == str(now_ms + timing.lease_ms)
    assert written.record["reconcile_at"] == str(
        now_ms + timing.post_deadline_ms + timing.settle_delay_ms
    )
    assert written.record["target"] == '{"channel":"C1","team":"T1"}'
    assert written.record["attempts"] == "1"
    assert written.due == {"r1": now_ms + timing.lease_ms}
    assert written.counts == {"sending": 1}
    assert written.history[-1].what == "sending"
    assert written.outcomes == ()


def test_asked_again_later_the_post_must_still_be_made_by_the_same_instant(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.clock.advance(ms=4_000)

    # When
    answer = rig.unchanged(rig.intend())

    # Then
    assert answer == Go(rig.timing.post_deadline_ms - 4_000, TARGET)


def test_an_intent_is_not_moved_elsewhere(rig: Rig) -> None:
    # Given
    rig.sending()

    # When
    answer = rig.unchanged(rig.intend(target=ELSEWHERE))

    # Then
    assert answer == Go(rig.timing.post_deadline_ms, TARGET)


def test_after_a_proven_absence_the_post_goes_where_the_first_one_went(rig: Rig) -> None:
    # Given
    rig.looking()
    assert rig.run(rig.absent()) == Reclaimed(2)

    # When
    answer = rig.twice(rig.intend(target=ELSEWHERE))

    # Then
    assert answer == Go(rig.timing.post_deadline_ms, TARGET)
    assert rig.record()["intent_at"] == str(rig.clock.now_ms)


def test_after_a_proven_absence_and_a_return_it_still_goes_where_the_first_one_went(
    rig: Rig,
) -> None:
    # Given
    rig.looking()
    rig.run(rig.absent())
    rig.run(rig.postpone(delay_ms=0))
    rig.run(rig.claim(OTHER))

    # When
    answer = rig.run(rig.intend(OTHER, target=ELSEWHERE))

    # Then
    assert answer == Go(rig.timing.post_deadline_ms, TARGET)


def test_what_was_postponed_without_a_post_may_go_elsewhere(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.run(rig.postpone(delay_ms=0))
    rig.run(rig.claim(OTHER))

    # When
    answer = rig.run(rig.intend(OTHER, target=ELSEWHERE))

    # Then
    assert answer == Go(rig.timing.post_deadline_ms, ELSEWHERE)


@pytest.mark.parametrize("state", ["none", "waiting", "claimed", "sending", "uncertain", "looking"])
def test_nobody_posts_on_the_claim_of_someone_else(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)

    # When
    answer = rig.unchanged(rig.intend("token-of-a-stranger"))

    # Then
    assert answer == Lost()


@pytest.mark.parametrize("state", ["uncertain", "looking"])
def test_who_is_in_doubt_does_not_post_again(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)

    # When
    answer = rig.unchanged(rig.intend(TOKEN))

    # Then
    assert answer == Lost()


def test_a_lease_that_is_over_is_lost_even_if_nobody_else_has_claimed(rig: Rig) -> None:
    # Given
    rig.claimed()
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.unchanged(rig.intend())

    # Then
    assert answer == Lost()


def test_who_was_paused_past_its_lease_does_not_post_beside_its_successor(rig: Rig) -> None:
    # Given
    rig.claimed(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms)
    assert isinstance(rig.run(rig.claim(OTHER)), Granted)

    # When
    answer = rig.unchanged(rig.intend(TOKEN))

    # Then
    assert answer == Lost()


def test_what_has_run_out_of_time_expires_instead_of_being_posted(rig: Rig) -> None:
    # Given
    expires_at_ms = rig.clock.now_ms + 1_000
    rig.claimed(expires_at_ms=expires_at_ms)
    rig.clock.now_ms = expires_at_ms

    # When
    answer = rig.twice(rig.intend())

    # Then
    assert answer == Settled("expired")
    assert rig.told() == ["expired"]


def test_until_the_last_instant_of_its_time_it_is_posted(rig: Rig) -> None:
    # Given
    expires_at_ms = rig.clock.now_ms + 1_000
    rig.claimed(expires_at_ms=expires_at_ms)
    rig.clock.now_ms = expires_at_ms - 1

    # When
    answer = rig.run(rig.intend())

    # Then
    assert answer == Go(rig.timing.post_deadline_ms, TARGET)
    assert rig.snapshot().due == {"r1": rig.clock.now_ms + rig.timing.lease_ms}


@pytest.mark.parametrize("token", [TOKEN, OTHER])
@pytest.mark.parametrize("outcome", TERMINAL)
def test_what_has_ended_is_not_posted(rig: Rig, outcome: str, token: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answer = rig.unchanged(rig.intend(token))

    # Then
    assert answer == Settled(outcome)
