from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from middleware.answers import Granted, Late, Ok
from tests.redis.ledger_calls import MARKER, OTHER, RECEIPT, TOKEN
from tests.redis.ledger_view import OPEN, TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig

NOT_POSTED = ("rejected", "expired", "cancelled")
RECEIPT_TEXT = '{"channel":"C1","ts":"1700000000.000100"}'


def test_a_receipt_ends_the_delivery_and_leaves_a_small_record_without_the_text(rig: Rig) -> None:
    # Given
    rig.sending()
    begun_ms = rig.clock.now_ms
    rig.clock.advance(ms=300)

    # When
    answer = rig.twice(rig.settle_sent())

    # Then
    written, now_ms = rig.snapshot(), rig.clock.now_ms
    assert answer == Ok()
    assert written.record == {
        "state": "sent",
        "receipt": RECEIPT_TEXT,
        "settled_at": str(now_ms),
        "attempts": "1",
        "token": TOKEN,
        "fingerprint": "fingerprint-1",
        "marker": MARKER,
        "accepted_at": str(begun_ms),
    }
    assert written.body is None
    assert (written.due, written.tenants, written.counts) == ({}, {}, {})
    assert [entry.what for entry in written.history] == ["accepted", "claimed", "sending", "sent"]
    assert written.outcomes == (
        {
            "event": "sent",
            "tenant": "acme",
            "id": "r1",
            "at": str(now_ms),
            "attempts": "1",
            "error": "",
            "reason": "",
            "receipt": RECEIPT_TEXT,
        },
    )
    assert written.expiring == {"delivery", "history"}


@pytest.mark.parametrize("outcome", TERMINAL)
def test_what_has_ended_is_kept_for_the_retention(rig: Rig, outcome: str) -> None:
    # Given
    keys, retention_ms = rig.ledger.keys, rig.timing.retention_ms

    # When
    rig.ended(outcome)

    # Then
    kept = [keys.delivery(rig.delivery), keys.history(rig.delivery)]
    if outcome != "sent":
        kept.append(keys.request(rig.delivery))
    for key in kept:
        assert retention_ms - 60_000 < rig.view.ttl_ms(key) <= retention_ms


@pytest.mark.parametrize("place", [*OPEN, "looking", "unproven"])
def test_a_receipt_is_taken_from_anyone_in_every_open_state(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)
    told_before = rig.told()

    # When
    answer = rig.twice(rig.settle_sent(OTHER))

    # Then
    assert answer == Late()
    assert rig.record()["state"] == "sent"
    assert rig.told() == [*told_before, "sent"]
    assert rig.snapshot().body is None


@pytest.mark.parametrize("place", ["claimed", "looking"])
def test_who_finds_the_post_that_another_has_told_of_meanwhile_agrees(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)
    rig.run(rig.settle_sent(OTHER))

    # When
    answer = rig.unchanged(rig.settle_sent(TOKEN))

    # Then
    assert answer == Ok()


def test_a_receipt_of_who_lost_its_lease_to_another_is_late(rig: Rig) -> None:
    # Given
    rig.claimed(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms)
    assert isinstance(rig.run(rig.claim(OTHER)), Granted)

    # When
    answer = rig.twice(rig.settle_sent(TOKEN))

    # Then
    assert answer == Late()


def test_a_receipt_is_taken_past_the_expiry(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.clock.advance(ms=rig.timing.expires_after_ms)

    # When
    answer = rig.twice(rig.settle_sent())

    # Then
    assert answer == Ok()
    assert rig.told() == ["sent"]


def test_a_receipt_proves_what_was_unproven(rig: Rig) -> None:
    # Given
    rig.ended("unproven")

    # When
    rig.twice(rig.settle_sent())

    # Then
    record = rig.record()
    assert json.loads(record["receipt"]) == RECEIPT
    assert not record.keys() & {"error", "reason", "target"}
    assert rig.told() == ["unproven", "sent"]
