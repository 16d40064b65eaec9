from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Asked, Granted, Lost, Ok, Settled, TooLate, Unknown
from tests.redis.ledger_calls import ACCEPTANCE, OTHER
from tests.redis.ledger_view import TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig

# As record.lua says.
KEPT_ENTRIES = 200


def test_nothing_is_cancelled_that_was_never_accepted(rig: Rig) -> None:
    # Given
    call = rig.cancel()

    # When
    answer = rig.unchanged(call)

    # Then
    assert answer == Unknown()


@pytest.mark.parametrize("state", ["waiting", "claimed"])
def test_what_has_not_been_posted_is_cancelled_at_once(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)

    # When
    answer = rig.twice(rig.cancel())

    # Then
    written = rig.snapshot()
    assert answer == Ok()
    assert written.record["state"] == written.record["error"] == "cancelled"
    assert written.record["settled_at"] == str(rig.clock.now_ms)
    assert written.body == ACCEPTANCE.body
    assert (written.due, written.tenants, written.counts) == ({}, {}, {})
    assert [event["event"] for event in written.outcomes] == ["cancelled"]
    assert written.history[-1].what == "cancelled"
    assert written.expiring == {"delivery", "history", "request"}


def test_what_is_delayed_is_cancelled_at_once(rig: Rig) -> None:
    # Given
    rig.accepted(not_before_ms=rig.clock.now_ms + rig.timing.expires_after_ms)

    # When
    answer = rig.twice(rig.cancel())

    # Then
    assert answer == Ok()
    assert rig.snapshot().counts == {}


def test_after_a_cancel_the_holder_of_the_claim_does_not_post(rig: Rig) -> None:
    # Given
    rig.claimed()

    # When
    rig.run(rig.cancel())

    # Then
    assert rig.unchanged(rig.intend()) == Settled("cancelled")
    assert rig.unchanged(rig.settle_rejected()) == Lost()


@pytest.mark.parametrize("place", ["sending", "uncertain", "looking"])
def test_a_post_that_may_be_on_its_way_is_cancelled_only_if_it_is_absent(
    rig: Rig, place: str
) -> None:
    # Given
    rig.brought_to(place)
    before = rig.snapshot()

    # When
    answer = rig.twice(rig.cancel())

    # Then
    written = rig.snapshot()
    assert answer == Asked()
    assert written.record == dict(before.record) | {"cancel_asked": str(rig.clock.now_ms)}
    assert written.due == before.due
    assert written.history[-1].what == "cancel asked"
    assert written.outcomes == ()


def test_a_cancel_asked_again_later_keeps_its_first_time(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.run(rig.cancel())
    rig.clock.advance(ms=1_000)

    # When
    answer = rig.unchanged(rig.cancel())

    # Then
    assert answer == Asked()


def test_what_was_posted_is_sent_though_a_cancel_was_asked_for(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.run(rig.cancel())

    # When
    answer = rig.run(rig.settle_sent())

    # Then
    assert answer == Ok()
    assert rig.record()["state"] == "sent"
    assert rig.told() == ["sent"]


@pytest.mark.parametrize("outcome", sorted(set(TERMINAL) - {"cancelled"}))
def test_what_has_ended_is_too_late_to_cancel(rig: Rig, outcome: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answer = rig.unchanged(rig.cancel())

    # Then
    assert answer == TooLate(outcome)


def test_a_cancel_wins_over_a_claim_that_is_only_waited_for(rig: Rig) -> None:
    # Given
    rig.claimed()
    rig.clock.advance(ms=rig.timing.lease_ms)
    assert isinstance(rig.run(rig.claim(OTHER)), Granted)

    # When
    answer = rig.twice(rig.cancel())

    # Then
    assert answer == Ok()
    assert rig.unchanged(rig.intend(OTHER)) == Settled("cancelled")


@pytest.mark.parametrize("place", ["waiting", "sending"])
def test_who_asked_for_a_cancel_and_why_is_kept(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)

    # When
    rig.twice(rig.ledger.cancel(rig.delivery, by="ada@ops", why="sent by mail"))

    # Then
    (asked,) = [entry for entry in rig.snapshot().history if entry.what == "cancel asked"]
    assert asked.details == {"by": "ada@ops", "why": "sent by mail"}


@pytest.mark.parametrize("place", ["waiting", "looking"])
def test_who_asked_for_a_cancel_and_why_is_told_with_it(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)
    order = {"by": "ada@ops", "why": "sent by mail"}
    rig.run(rig.ledger.cancel(rig.delivery, **order))
    # So many looks that the history forgets who asked.
    for _ in range(2 * KEPT_ENTRIES if place == "looking" else 0):
        rig.run(rig.look_later(delay_ms=0, completed=False))
        rig.run(rig.claim())

    # When
    rig.run(rig.absent())

    # Then
    told = rig.snapshot().outcomes[-1]
    assert told["event"] == "cancelled"
    assert {name: told[name] for name in order} == order


def test_a_cancel_by_a_service_names_no_person(rig: Rig) -> None:
    # Given
    rig.accepted()

    # When
    rig.run(rig.cancel())

    # Then
    assert not rig.snapshot().outcomes[-1].keys() & {"by", "why"}
