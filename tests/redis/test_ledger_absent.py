from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Asked, Lost, Reclaimed, Settled, TooEarly, Uncertain
from middleware.timing import DAY_MS
from tests.redis.ledger_calls import OTHER, TARGET, TOKEN
from tests.redis.ledger_view import TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def test_a_post_proven_absent_may_be_made_again(rig: Rig) -> None:
    # Given
    rig.looking()

    # When
    answer = rig.twice(rig.absent())

    # Then
    written, lease_until_ms = rig.snapshot(), rig.clock.now_ms + rig.timing.lease_ms
    assert answer == Reclaimed(2)
    assert written.record["state"] == "claimed"
    assert written.record["token"] == TOKEN
    assert written.record["attempts"] == "2"
    assert written.record["lease_until"] == str(lease_until_ms)
    assert written.record["target"] == '{"channel":"C1","team":"T1"}'
    assert not written.record.keys() & {"intent_at", "reconcile_at"}
    assert written.due == {"r1": lease_until_ms}
    assert written.counts == {"claimed": 1}
    assert written.history[-1].what == "absent"
    assert written.history[-1].details == {"read_begun": rig.clock.now_ms}
    assert written.outcomes == ()


def test_a_claim_after_an_absence_is_not_due_after_its_time_has_run_out(rig: Rig) -> None:
    # Given
    expires_at_ms = rig.clock.now_ms + 80_000
    rig.looking(expires_at_ms=expires_at_ms)

    # When
    answer = rig.run(rig.absent())

    # Then
    assert answer == Reclaimed(2)
    assert rig.snapshot().due == {"r1": expires_at_ms}


def test_a_read_that_began_before_the_post_had_settled_proves_nothing(rig: Rig) -> None:
    # Given
    rig.looking()
    reconcile_at_ms = int(rig.record()["reconcile_at"])

    # When
    answer = rig.unchanged(rig.absent(read_begun_ms=reconcile_at_ms - 1))

    # Then
    assert answer == TooEarly()
    assert rig.run(rig.absent(read_begun_ms=reconcile_at_ms)) == Reclaimed(2)


def test_an_absence_told_after_the_lease_is_lost(rig: Rig) -> None:
    # Given
    rig.looking()
    begun_ms = rig.clock.now_ms
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.unchanged(rig.absent(read_begun_ms=begun_ms))

    # Then
    assert answer == Lost()


def test_an_absence_asked_again_after_the_next_intent_is_lost(rig: Rig) -> None:
    # Given
    rig.looking()
    begun_ms = rig.clock.now_ms
    rig.run(rig.absent(read_begun_ms=begun_ms))
    rig.run(rig.intend())

    # When
    answer = rig.unchanged(rig.absent(read_begun_ms=begun_ms))

    # Then
    assert answer == Lost()


def test_an_old_absence_says_nothing_about_a_later_post(rig: Rig) -> None:
    # Given
    rig.looking()
    begun_ms = rig.clock.now_ms
    rig.run(rig.absent())
    rig.run(rig.intend())
    rig.run(rig.doubt())
    rig.then_settled_down()
    rig.run(rig.claim())

    # When
    answer = rig.unchanged(rig.absent(read_begun_ms=begun_ms))

    # Then
    assert answer == TooEarly()


def test_absent_past_its_expiry_it_expires(rig: Rig) -> None:
    # Given
    rig.uncertain()
    rig.clock.advance(ms=DAY_MS)
    rig.run(rig.claim(OTHER))

    # When
    answer = rig.twice(rig.absent(OTHER))

    # Then
    assert answer == Settled("expired")
    assert rig.told() == ["expired"]
    assert rig.noted()[-2:] == ["absent", "expired"]


def test_absent_after_its_last_attempt_it_is_rejected(rig: Rig) -> None:
    # Given
    rig.looking(max_attempts=1)

    # When
    answer = rig.twice(rig.absent())

    # Then
    record = rig.record()
    assert answer == Settled("rejected")
    assert (record["error"], record["attempts"]) == ("attempts_exhausted", "1")
    assert rig.told() == ["rejected"]


def test_absent_after_a_cancel_was_asked_for_it_is_cancelled(rig: Rig) -> None:
    # Given
    rig.looking()
    assert rig.run(rig.cancel()) == Asked()

    # When
    answer = rig.twice(rig.absent())

    # Then
    assert answer == Settled("cancelled")
    assert rig.told() == ["cancelled"]


@pytest.mark.parametrize("token", [TOKEN, OTHER])
@pytest.mark.parametrize("outcome", TERMINAL)
def test_what_has_ended_is_not_proven_absent(rig: Rig, outcome: str, token: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answer = rig.unchanged(rig.absent(token))

    # Then
    assert answer == Settled(outcome)


def test_the_target_stays_frozen_over_several_absences(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.run(rig.absent())
    rig.run(rig.intend(target={"channel": "C9", "team": "T9"}))
    rig.run(rig.doubt())
    rig.then_settled_down()

    # When
    answer = rig.run(rig.claim(OTHER))

    # Then
    assert isinstance(answer, Uncertain)
    assert answer.target == TARGET
    assert rig.run(rig.absent(OTHER)) == Reclaimed(3)
