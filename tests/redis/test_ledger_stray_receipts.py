from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from middleware.answers import Late, Ok, StrayPost
from tests.redis.ledger_calls import OTHER, OTHER_RECEIPT, TOKEN

if TYPE_CHECKING:
    from tests.redis.delivering import Rig

THIRD_RECEIPT = {"channel": "C1", "ts": "1700000000.000300"}
NOT_POSTED = ("rejected", "expired", "cancelled")
RECEIPT_TEXT = '{"channel":"C1","ts":"1700000000.000100"}'


@pytest.mark.parametrize("token", [TOKEN, OTHER])
@pytest.mark.parametrize("outcome", NOT_POSTED)
def test_a_post_of_what_was_recorded_as_never_posted_raises_an_alert(
    rig: Rig, outcome: str, token: str
) -> None:
    # Given
    rig.ended(outcome)
    before = rig.record()

    # When
    answer = rig.twice(rig.settle_sent(token))

    # Then
    written = rig.snapshot()
    assert answer == StrayPost("late_post")
    assert written.record == before | {"stray_receipts": RECEIPT_TEXT}
    assert [event["event"] for event in written.outcomes] == [outcome, "late_post"]
    assert written.outcomes[-1]["receipt"] == RECEIPT_TEXT
    assert written.history[-1].what == "late_post"
    assert written.expiring == {"delivery", "history", "request"}


def test_a_second_post_raises_an_alert_and_the_first_receipt_stands(rig: Rig) -> None:
    # Given
    rig.ended("sent")
    before = rig.record()

    # When
    answer = rig.twice(rig.settle_sent(OTHER, receipt=OTHER_RECEIPT))

    # Then
    written = rig.snapshot()
    assert answer == StrayPost("duplicate_post")
    assert json.loads(written.record["stray_receipts"]) == OTHER_RECEIPT
    assert written.record["receipt"] == before["receipt"]
    assert [event["event"] for event in written.outcomes] == ["sent", "duplicate_post"]


def test_the_same_receipt_from_someone_else_is_no_second_post(rig: Rig) -> None:
    # Given
    rig.ended("sent")

    # When
    answer = rig.unchanged(rig.settle_sent(OTHER))

    # Then
    assert answer == Late()


def test_a_receipt_of_what_the_ledger_does_not_know_is_kept_and_raises_an_alert(rig: Rig) -> None:
    # Given
    call = rig.settle_sent()

    # When
    answer = rig.twice(call)

    # Then
    written = rig.snapshot()
    assert answer == StrayPost("late_post")
    assert written.record["state"] == "sent"
    assert written.record["receipt"] == RECEIPT_TEXT
    assert [event["event"] for event in written.outcomes] == ["sent", "late_post"]
    assert written.expiring == {"delivery", "history"}


def test_a_second_receipt_of_what_the_ledger_did_not_know_is_a_second_post(rig: Rig) -> None:
    # Given
    rig.run(rig.settle_sent())

    # When
    answer = rig.twice(rig.settle_sent(OTHER, receipt=OTHER_RECEIPT))

    # Then
    assert answer == StrayPost("duplicate_post")
    assert rig.told() == ["sent", "late_post", "duplicate_post"]


@pytest.mark.parametrize("place", ["sending", "looking", "unproven"])
def test_further_posts_are_told_in_the_same_moment_as_the_first(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)

    # When
    answer = rig.twice(rig.settle_sent(duplicates=[OTHER_RECEIPT, THIRD_RECEIPT]))

    # Then
    written = rig.snapshot()
    assert answer == Ok()
    assert written.record["receipt"] == RECEIPT_TEXT
    strays = [json.loads(each) for each in written.record["stray_receipts"].splitlines()]
    assert strays == [OTHER_RECEIPT, THIRD_RECEIPT]
    assert rig.told()[-3:] == ["sent", "duplicate_post", "duplicate_post"]


def test_posts_that_are_told_in_turns_are_each_alerted_once(rig: Rig) -> None:
    # Given
    rig.ended("sent")
    for receipt in (OTHER_RECEIPT, THIRD_RECEIPT):
        rig.run(rig.settle_sent(receipt=receipt))

    # When
    for receipt in (OTHER_RECEIPT, THIRD_RECEIPT):
        rig.unchanged(rig.settle_sent(receipt=receipt))

    # Then
    assert rig.told() == ["sent", "duplicate_post", "duplicate_post"]
