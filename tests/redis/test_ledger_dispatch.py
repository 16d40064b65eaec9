from __future__ import annotations

from typing import TYPE_CHECKING

from middleware.answers import (
    Deferred,
    DispatchedBefore,
    First,
    Settled,
    Unknown,
)
from middleware.timing import HOUR_MS, MINUTE_MS
from tests.redis.ledger_calls import ACCEPTANCE
from tests.redis.ledger_view import Entry

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def test_nothing_is_dispatched_that_was_never_accepted(rig: Rig) -> None:
    # Given
    call = rig.dispatch()

    # When
    answer = rig.unchanged(call)

    # Then
    assert answer == Unknown()


def test_an_actor_that_needs_no_acceptance_gets_its_record_from_the_first_message(rig: Rig) -> None:
    # Given
    call = rig.dispatch(create=ACCEPTANCE, thread_ts="17.1")

    # When
    answer = rig.twice(call)

    # Then
    written = rig.snapshot()
    assert answer == First()
    assert written.record["state"] == "waiting"
    assert written.record["actor"] == ACCEPTANCE.actor
    assert written.record["thread_ts"] == "17.1"
    assert written.record["expires_at"] == str(rig.clock.now_ms + rig.timing.expires_after_ms)
    assert written.due == {"r1": rig.clock.now_ms + rig.timing.dispatch_window_ms}
    assert written.counts == {"waiting": 1}
    assert [entry.what for entry in written.history] == ["accepted", "dispatched"]
    assert (written.requests, written.body) == ((), None)


def test_a_created_record_turns_another_message_away(rig: Rig) -> None:
    # Given
    rig.run(rig.dispatch("m1", create=ACCEPTANCE))

    # When
    answer = rig.unchanged(rig.dispatch("m2", create=ACCEPTANCE), noted="dispatch refused")

    # Then
    assert answer == DispatchedBefore("m1", in_progress=False)


def test_the_first_message_goes_onto_the_queue_and_is_kept(rig: Rig) -> None:
    # Given
    rig.accepted()
    rig.clock.advance(ms=1_000)

    # When
    answer = rig.twice(rig.dispatch("m1"))

    # Then
    written = rig.snapshot()
    assert answer == First()
    assert written.record["message_id"] == "m1"
    assert written.record["message"] == "encoded m1"
    assert written.due == {"r1": rig.clock.now_ms + rig.timing.dispatch_window_ms}
    assert written.history[-1] == Entry(rig.clock.now_ms, "dispatched", {"message_id": "m1"})
    assert written.outcomes == ()


def test_what_was_dispatched_is_not_due_after_its_time_has_run_out(rig: Rig) -> None:
    # Given
    expires_at_ms = rig.clock.now_ms + rig.timing.dispatch_window_ms - 1
    rig.accepted(expires_at_ms=expires_at_ms)

    # When
    rig.run(rig.dispatch())

    # Then
    assert rig.snapshot().due == {"r1": expires_at_ms}


def test_a_dispatch_asked_again_late_does_not_put_off_the_sweeper(rig: Rig) -> None:
    # Given
    rig.accepted()
    rig.run(rig.dispatch("m1"))
    rig.clock.advance(ms=rig.timing.dispatch_window_ms + 1)

    # When
    answer = rig.unchanged(rig.dispatch("m1"))

    # Then
    assert answer == First()


def test_another_message_within_the_window_is_a_duplicate(rig: Rig) -> None:
    # Given
    rig.accepted()
    rig.run(rig.dispatch("m1"))
    rig.clock.advance(ms=rig.timing.dispatch_window_ms - 1)

    # When
    answer = rig.unchanged(rig.dispatch("m2"), noted="dispatch refused")

    # Then
    assert answer == DispatchedBefore("m1", in_progress=False)


def test_another_message_after_the_window_takes_the_place_of_the_first(rig: Rig) -> None:
    # Given
    rig.accepted()
    rig.run(rig.dispatch("m1"))
    rig.clock.advance(ms=rig.timing.dispatch_window_ms)

    # When
    answer = rig.twice(rig.dispatch("m2"))

    # Then
    assert answer == First()
    assert rig.record()["message_id"] == "m2"


def test_nothing_is_dispatched_before_its_time(rig: Rig) -> None:
    # Given
    send_at_ms = rig.clock.now_ms + HOUR_MS
    rig.accepted(not_before_ms=send_at_ms)
    rig.clock.advance(ms=HOUR_MS - 1)

    # When
    answer = rig.unchanged(rig.dispatch())

    # Then
    assert answer == Deferred(send_at_ms)


def test_not_even_the_own_message_is_dispatched_before_its_time(rig: Rig) -> None:
    # Given
    rig.accepted()
    rig.run(rig.dispatch("m1"))
    rig.run(rig.claim())
    rig.run(rig.postpone(delay_ms=MINUTE_MS))

    # When
    answer = rig.unchanged(rig.dispatch("m1"))

    # Then
    assert answer == Deferred(rig.clock.now_ms + MINUTE_MS)


def test_at_its_time_it_is_dispatched_and_no_longer_delayed(rig: Rig) -> None:
    # Given
    rig.accepted(not_before_ms=rig.clock.now_ms + HOUR_MS)
    rig.clock.advance(ms=HOUR_MS)

    # When
    answer = rig.twice(rig.dispatch())

    # Then
    assert answer == First()
    assert rig.snapshot().counts == {"waiting": 1}


def test_what_has_run_out_of_time_expires_instead_of_being_dispatched(rig: Rig) -> None:
    # Given
    rig.accepted()
    rig.clock.advance(ms=rig.timing.expires_after_ms)

    # When
    answer = rig.twice(rig.dispatch())

    # Then
    written = rig.snapshot()
    assert answer == Settled("expired")
    assert written.record["state"] == written.record["error"] == "expired"
    assert [event["event"] for event in written.outcomes] == ["expired"]
    assert written.expiring == {"delivery", "history", "request"}
