from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Granted, Lost, Ok
from tests.redis.ledger_calls import ACCEPTANCE, OTHER, TOKEN
from tests.redis.ledger_view import TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def test_what_slack_refused_is_rejected_with_its_code(rig: Rig) -> None:
    # Given
    rig.sending()

    # When
    answer = rig.twice(rig.settle_rejected())

    # Then
    written, now_ms = rig.snapshot(), rig.clock.now_ms
    assert answer == Ok()
    assert written.record["state"] == "rejected"
    assert written.record["error"] == "is_archived"
    assert written.record["reason"] == "the channel is archived"
    assert written.record["attempts"] == "1"
    assert written.record["settled_at"] == str(now_ms)
    assert written.body == ACCEPTANCE.body
    assert (written.due, written.tenants, written.counts) == ({}, {}, {})
    assert written.history[-1].details == {
        "error": "is_archived",
        "reason": "the channel is archived",
    }
    assert written.outcomes == (
        {
            "event": "rejected",
            "tenant": "acme",
            "id": "r1",
            "at": str(now_ms),
            "attempts": "1",
            "error": "is_archived",
            "reason": "the channel is archived",
            "receipt": "",
        },
    )
    assert written.expiring == {"delivery", "history", "request"}


def test_what_was_refused_while_preparing_used_no_attempt(rig: Rig) -> None:
    # Given
    rig.claimed()

    # When
    answer = rig.twice(rig.settle_rejected())

    # Then
    assert answer == Ok()
    assert rig.record()["attempts"] == "0"
    assert rig.told() == ["rejected"]


def test_a_refusal_told_late_still_counts_while_nobody_else_holds_it(rig: Rig) -> None:
    # Given
    rig.claimed()
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.twice(rig.settle_rejected())

    # Then
    assert answer == Ok()


def test_who_lost_its_claim_cannot_reject_for_its_successor(rig: Rig) -> None:
    # Given
    rig.claimed(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms)
    assert isinstance(rig.run(rig.claim(OTHER)), Granted)

    # When
    answer = rig.unchanged(rig.settle_rejected(TOKEN))

    # Then
    assert answer == Lost()


@pytest.mark.parametrize("place", ["uncertain", "looking"])
def test_nothing_is_rejected_while_a_post_may_have_arrived(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)

    # When
    answer = rig.unchanged(rig.settle_rejected(TOKEN))

    # Then
    assert answer == Lost()


@pytest.mark.parametrize("outcome", sorted(set(TERMINAL) - {"rejected"}))
def test_what_has_ended_otherwise_is_not_rejected(rig: Rig, outcome: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answer = rig.unchanged(rig.settle_rejected(TOKEN))

    # Then
    assert answer == Lost()


def test_a_reason_that_is_no_unicode_is_kept_as_what_it_looks_like(rig: Rig) -> None:
    # Given
    rig.sending()
    half_of_a_pair = "\ud83d is half of a pair"
    rejection = rig.ledger.settle_rejected(
        rig.delivery, token=TOKEN, error="bad", reason=half_of_a_pair
    )

    # When
    rig.twice(rejection)

    # Then
    assert rig.record()["reason"] == r"\ud83d is half of a pair"
    assert rig.snapshot().history[-1].details["reason"] == r"\ud83d is half of a pair"
