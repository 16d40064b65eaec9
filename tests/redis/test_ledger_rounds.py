"""What a round that a person ordered has to do with the round before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import First, Go, Granted, Late, Lost, Make, Ok, StrayPost, Uncertain
from tests.redis.ledger_calls import ACCEPTANCE, FENCED, NEXT_MARKER, OTHER, OTHER_RECEIPT, TOKEN

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def test_the_sweeper_dispatches_what_was_redriven(rig: Rig) -> None:
    # Given
    rig.ended("rejected")
    rig.run(rig.redrive())

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert answer == Make(ACCEPTANCE.actor, ACCEPTANCE.queue, None)
    assert rig.run(rig.dispatch("m2")) == First()


def test_the_new_round_ends_like_any_other(rig: Rig) -> None:
    # Given
    rig.ended("rejected")
    rig.run(rig.redrive())

    # When
    claimed = rig.run(rig.claim(OTHER))
    intended = rig.run(rig.intend(OTHER))
    settled = rig.run(rig.settle_sent(OTHER))

    # Then
    assert claimed == Granted(1, NEXT_MARKER, None, 0)
    assert isinstance(intended, Go)
    assert settled == Ok()
    assert rig.told() == ["rejected", "redriven", "sent"]


def test_asked_again_after_its_round_has_ended_it_begins_no_other(rig: Rig) -> None:
    # Given
    rig.ended("rejected")
    rig.run(rig.redrive())
    rig.run(rig.claim(OTHER))
    rig.run(rig.settle_rejected(OTHER))

    # When
    answer = rig.unchanged(rig.redrive())

    # Then
    assert answer == Ok()


def test_each_order_begins_a_round_of_its_own(rig: Rig) -> None:
    # Given
    rig.ended("cancelled")
    rig.run(rig.redrive())
    rig.run(rig.cancel())

    # When
    answer = rig.twice(rig.redrive("marker-3"))

    # Then
    assert answer == Ok()
    assert rig.record()["marker"] == "marker-3"
    assert rig.told() == ["cancelled", "redriven", "cancelled", "redriven"]


def test_a_cancel_asked_in_the_round_before_does_not_stop_this_one(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.run(rig.cancel())
    rig.run(rig.absent())
    rig.run(rig.redrive())
    rig.run(rig.claim(OTHER))
    rig.run(rig.intend(OTHER))

    # When
    answer = rig.run(rig.postpone(OTHER))

    # Then
    assert answer == Ok()


def test_a_new_round_may_be_posted_elsewhere(rig: Rig) -> None:
    # Given
    rig.looking(max_attempts=1)
    rig.run(rig.absent())
    rig.run(rig.redrive())
    rig.run(rig.claim(OTHER))

    # When
    answer = rig.run(rig.intend(OTHER, target={"channel": "C9"}))

    # Then
    assert isinstance(answer, Go)
    assert answer.target == {"channel": "C9"}


@pytest.mark.parametrize("transition", FENCED)
def test_who_held_the_round_before_can_do_nothing_in_this_one(rig: Rig, transition: str) -> None:
    # Given
    rig.ended("rejected")
    rig.run(rig.redrive())

    # When
    answer = rig.unchanged(FENCED[transition](rig, TOKEN))

    # Then
    assert answer == Lost()


def test_a_receipt_of_the_round_before_ends_this_one(rig: Rig) -> None:
    # Given
    rig.ended("unproven")
    rig.run(rig.redrive(post_again=True))

    # When
    answer = rig.twice(rig.settle_sent())

    # Then
    assert answer == Late()
    assert rig.told() == ["unproven", "redriven", "sent"]


def test_a_receipt_of_the_round_before_and_one_of_this_are_two_posts(rig: Rig) -> None:
    # Given
    rig.ended("unproven")
    rig.run(rig.redrive(post_again=True))
    rig.run(rig.claim(OTHER))
    rig.run(rig.intend(OTHER))
    rig.run(rig.settle_sent(OTHER, receipt=OTHER_RECEIPT))

    # When
    answer = rig.twice(rig.settle_sent())

    # Then
    assert answer == StrayPost("duplicate_post")


def test_a_doubt_in_a_new_round_is_about_its_own_post(rig: Rig) -> None:
    # Given
    rig.ended("unproven")
    rig.run(rig.redrive(post_again=True))
    rig.run(rig.claim(OTHER))
    rig.run(rig.intend(OTHER))
    intended_at_ms = rig.clock.now_ms
    rig.run(rig.doubt(OTHER))
    rig.then_settled_down()

    # When
    answer = rig.run(rig.claim("token-of-third"))

    # Then
    assert isinstance(answer, Uncertain)
    assert (answer.marker, answer.intent_at_ms) == (NEXT_MARKER, intended_at_ms)


def test_a_redriven_request_expires_anew(rig: Rig) -> None:
    # Given
    rig.ended("expired")
    rig.run(rig.redrive())
    rig.clock.advance(ms=rig.timing.expires_after_ms)

    # When
    rig.run(rig.sweep())

    # Then
    assert rig.told() == ["expired", "redriven", "expired"]
    assert rig.snapshot().expiring == {"delivery", "history", "request"}
