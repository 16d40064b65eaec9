from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from middleware.answers import Late, Ok, Settled, StrayPost, TooLate, Unknown
from middleware.operating import InProgress
from tests.redis.ledger_calls import ORDER, OTHER, OTHER_RECEIPT, RECEIPT
from tests.redis.ledger_view import OPEN

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def test_nothing_is_marked_that_was_never_accepted(rig: Rig) -> None:
    # Given
    call = rig.mark_sent()

    # When
    answer = rig.unchanged(call)

    # Then
    assert answer == Unknown()


def test_what_a_person_has_found_is_sent(rig: Rig) -> None:
    # Given
    rig.ended("unproven")

    # When
    answer = rig.twice(rig.mark_sent())

    # Then
    written = rig.snapshot()
    assert answer == Ok()
    assert written.record["state"] == "sent"
    assert json.loads(written.record["receipt"]) == RECEIPT
    assert not written.record.keys() & {"error", "reason"}
    assert written.body is None
    assert rig.told() == ["unproven", "sent"]
    assert json.loads(written.outcomes[-1]["receipt"]) == RECEIPT
    assert written.expiring == {"delivery", "history"}


def test_who_has_found_it_and_why_it_counts_is_kept(rig: Rig) -> None:
    # Given
    rig.ended("unproven")

    # When
    rig.run(rig.mark_sent())

    # Then
    *_, marked, sent = rig.snapshot().history
    assert (marked.what, sent.what) == ("marked sent", "sent")
    assert marked.details == {"by": ORDER.by, "why": ORDER.why}
    told = rig.snapshot().outcomes[-1]
    assert (told["by"], told["why"]) == (ORDER.by, ORDER.why)


def test_what_was_sent_is_marked_by_nobody_as_another_post(rig: Rig) -> None:
    # Given
    rig.ended("sent")

    # When
    same = rig.unchanged(rig.mark_sent())
    other = rig.unchanged(rig.mark_sent(receipt=OTHER_RECEIPT))

    # Then
    assert (same, other) == (Ok(), TooLate("sent"))


@pytest.mark.parametrize("outcome", ["rejected", "expired", "cancelled"])
def test_what_was_never_posted_is_not_marked_as_sent(rig: Rig, outcome: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answer = rig.unchanged(rig.mark_sent())

    # Then
    assert answer == TooLate(outcome)


@pytest.mark.parametrize("place", ["uncertain", "looking"])
def test_a_person_may_be_quicker_than_the_look(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)

    # When
    answer = rig.twice(rig.mark_sent())

    # Then
    assert answer == Ok()
    assert rig.told() == ["sent"]
    assert rig.run(rig.claim(OTHER)) == Settled("sent")


@pytest.mark.parametrize("place", sorted({*OPEN} - {"uncertain"}))
def test_what_was_not_posted_yet_or_is_on_its_way_is_not_marked(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)
    state = rig.record()["state"]

    # When
    answer = rig.unchanged(rig.mark_sent())

    # Then
    assert answer == InProgress(state)


def test_a_late_receipt_is_held_against_the_one_that_a_person_found(rig: Rig) -> None:
    # Given
    rig.ended("unproven")
    rig.run(rig.mark_sent())

    # When
    same = rig.unchanged(rig.settle_sent(OTHER))
    other = rig.twice(rig.settle_sent(receipt=OTHER_RECEIPT))

    # Then
    assert (same, other) == (Late(), StrayPost("duplicate_post"))
