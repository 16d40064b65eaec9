from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Granted, Lost, Settled, Unknown, Wait
from middleware.timing import HOUR_MS
from tests.redis.ledger_calls import MARKER, OTHER, TOKEN
from tests.redis.ledger_view import TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def test_nothing_is_claimed_that_was_never_accepted(rig: Rig) -> None:
    # Given
    call = rig.claim()

    # When
    answer = rig.unchanged(call)

    # Then
    assert answer == Unknown()


def test_a_claim_is_granted_for_the_length_of_its_lease(rig: Rig) -> None:
    # Given
    rig.accepted(thread_ts="17.1")

    # When
    answer = rig.twice(rig.claim())

    # Then
    written, lease_until_ms = rig.snapshot(), rig.clock.now_ms + rig.timing.lease_ms
    assert answer == Granted(attempt=1, marker=MARKER, thread_ts="17.1", returns=0)
    assert written.record["state"] == "claimed"
    assert written.record["token"] == TOKEN
    assert written.record["attempts"] == "1"
    assert written.record["lease_until"] == str(lease_until_ms)
    assert written.due == {"r1": lease_until_ms}
    assert written.counts == {"claimed": 1}
    assert written.outcomes == ()
    assert written.history[-1].details == {
        "by": "worker-1",
        "token": TOKEN[:8],
        "attempt": 1,
    }


def test_an_actor_may_ask_for_a_lease_of_its_own(rig: Rig) -> None:
    # Given
    rig.accepted()

    # When
    rig.run(rig.claim(lease_ms=45_000))

    # Then
    assert rig.record()["lease_until"] == str(rig.clock.now_ms + 45_000)


def test_a_claim_is_never_due_after_its_time_has_run_out(rig: Rig) -> None:
    # Given
    expires_at_ms = rig.clock.now_ms + rig.timing.lease_ms - 1
    rig.accepted(expires_at_ms=expires_at_ms)

    # When
    rig.run(rig.claim())

    # Then
    assert rig.snapshot().due == {"r1": expires_at_ms}
    assert rig.record()["lease_until"] == str(expires_at_ms + 1)


def test_it_is_held_while_another_lease_is_live(rig: Rig) -> None:
    # Given
    rig.claimed(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms - 1)

    # When
    answer = rig.unchanged(rig.claim(OTHER), noted="held")

    # Then
    assert answer == Wait(rig.clock.now_ms + 1, "held")


def test_a_lease_that_is_over_makes_room_for_another_attempt(rig: Rig) -> None:
    # Given
    rig.claimed(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.twice(rig.claim(OTHER))

    # Then
    assert answer == Granted(attempt=2, marker=MARKER, thread_ts=None, returns=0)
    assert rig.record()["token"] == OTHER
    assert rig.noted()[-2:] == ["lease over", "claimed"]


def test_asked_again_after_its_lease_a_claim_gains_no_time(rig: Rig) -> None:
    # Given
    rig.claimed()
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.unchanged(rig.claim())

    # Then
    assert answer == Granted(attempt=1, marker=MARKER, thread_ts=None, returns=0)
    assert rig.unchanged(rig.intend()) == Lost()


def test_nothing_is_claimed_before_its_time(rig: Rig) -> None:
    # Given
    send_at_ms = rig.clock.now_ms + HOUR_MS
    rig.accepted(not_before_ms=send_at_ms)

    # When
    answer = rig.unchanged(rig.claim())

    # Then
    assert answer == Wait(send_at_ms, "not due")


def test_at_its_time_what_was_delayed_is_claimed(rig: Rig) -> None:
    # Given
    rig.accepted(not_before_ms=rig.clock.now_ms + HOUR_MS)
    rig.clock.advance(ms=HOUR_MS)

    # When
    rig.run(rig.claim())

    # Then
    assert rig.snapshot().counts == {"claimed": 1}


@pytest.mark.parametrize("state", ["waiting", "claimed"])
def test_what_has_run_out_of_time_expires_instead_of_being_claimed(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)
    rig.clock.advance(ms=rig.timing.expires_after_ms)

    # When
    answer = rig.twice(rig.claim(OTHER))

    # Then
    assert answer == Settled("expired")
    assert rig.told() == ["expired"]


def test_a_message_that_kills_its_workers_is_rejected_in_the_end(rig: Rig) -> None:
    # Given
    rig.accepted(max_attempts=2)
    for token in ("first", "second"):
        assert isinstance(rig.run(rig.claim(token)), Granted)
        rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.twice(rig.claim("third"))

    # Then
    record = rig.record()
    assert answer == Settled("rejected")
    assert (record["error"], record["attempts"]) == ("poison", "2")
    assert rig.told() == ["rejected"]


@pytest.mark.parametrize("token", [TOKEN, OTHER])
@pytest.mark.parametrize("outcome", TERMINAL)
def test_what_has_ended_is_not_claimed(rig: Rig, outcome: str, token: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answer = rig.unchanged(rig.claim(token))

    # Then
    assert answer == Settled(outcome)
