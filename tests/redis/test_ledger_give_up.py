from __future__ import annotations

from typing import TYPE_CHECKING

from middleware.answers import Ok, Settled
from middleware.timing import DAY_MS, MINUTE_MS
from tests.redis.ledger_calls import ACCEPTANCE

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def test_at_the_limit_a_look_that_cannot_tell_is_final(rig: Rig) -> None:
    # Given
    rig.uncertain()
    rig.clock.advance(ms=DAY_MS)
    rig.run(rig.claim())

    # When
    answer = rig.twice(rig.look_later(completed=True))

    # Then
    written = rig.snapshot()
    assert answer == Settled("unproven")
    assert written.record["state"] == "unproven"
    assert written.record["error"] == "lag"
    assert [event["event"] for event in written.outcomes] == ["unproven"]


def test_before_the_limit_it_is_looked_for_again(rig: Rig) -> None:
    # Given
    rig.looking(expires_at_ms=rig.clock.now_ms + MINUTE_MS)
    reconcile_at_ms = int(rig.record()["reconcile_at"])
    rig.clock.now_ms = reconcile_at_ms + rig.timing.reconcile_limit_ms - 1

    # When
    answer = rig.run(rig.look_later(completed=True))

    # Then
    assert answer == Ok()


def test_the_limit_counts_from_the_first_look_where_that_is_later_than_the_expiry(rig: Rig) -> None:
    # Given
    rig.looking(expires_at_ms=rig.clock.now_ms + MINUTE_MS)
    reconcile_at_ms = int(rig.record()["reconcile_at"])
    rig.clock.now_ms = reconcile_at_ms + rig.timing.reconcile_limit_ms

    # When
    answer = rig.run(rig.look_later(completed=True))

    # Then
    assert answer == Settled("unproven")


def test_nothing_is_unproven_before_one_look_was_completed(rig: Rig) -> None:
    # Given
    rig.uncertain()
    rig.clock.advance(ms=2 * DAY_MS)
    rig.run(rig.claim())

    # When
    answer = rig.twice(rig.look_later(completed=False))

    # Then
    assert answer == Ok()
    assert rig.record()["state"] == "uncertain"


def test_what_no_look_will_ever_tell_is_unproven_and_keeps_where_to_look(rig: Rig) -> None:
    # Given
    rig.looking()

    # When
    answer = rig.twice(rig.give_up())

    # Then
    written = rig.snapshot()
    assert answer == Ok()
    assert written.record["state"] == "unproven"
    assert written.record["error"] == "missing_scope"
    assert written.record["reason"] == "nobody may read there"
    assert written.record["target"] == '{"channel":"C1","team":"T1"}'
    assert written.record.keys() >= {"intent_at", "marker"}
    assert written.body == ACCEPTANCE.body
    assert (written.due, written.tenants, written.counts) == ({}, {}, {})
    assert [event["event"] for event in written.outcomes] == ["unproven"]
    assert written.outcomes[0]["error"] == "missing_scope"
    assert written.expiring == {"delivery", "history", "request"}


def test_given_up_late_it_still_counts_while_nobody_else_looks(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.twice(rig.give_up())

    # Then
    assert answer == Ok()


def test_a_cancel_asked_for_does_not_make_up_for_a_proof(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.run(rig.cancel())

    # When
    answer = rig.run(rig.give_up())

    # Then
    assert answer == Ok()
    assert rig.record()["state"] == "unproven"
