from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from middleware.answers import Accepted, Conflict, Duplicate, StrayPost
from middleware.keys import Delivery
from middleware.timing import HOUR_MS, MINUTE_MS
from tests.redis.ledger_calls import ACCEPTANCE, MARKER
from tests.redis.ledger_view import OPEN, TERMINAL, Entry

if TYPE_CHECKING:
    from tests.redis.delivering import Rig

ANOTHER_MARKER = "marker-2"
ANOTHER_FINGERPRINT = "fingerprint-2"


def test_an_accepted_request_waits_with_its_event_its_record_and_its_body(rig: Rig) -> None:
    # Given
    now_ms = rig.clock.now_ms

    # When
    answer = rig.run(rig.accept(thread_ts="17.1"))

    # Then
    written = rig.snapshot()
    assert answer == Accepted()
    assert written.record == {
        "state": "waiting",
        "counted": "waiting",
        "fingerprint": "fingerprint-1",
        "marker": MARKER,
        "actor": "send_message",
        "queue": "slack",
        "priority": "normal",
        "thread_ts": "17.1",
        "max_attempts": "8",
        "attempts": "0",
        "returns": "0",
        "dispatches": "0",
        "accepted_at": str(now_ms),
        "not_before": "0",
        "due": str(now_ms + rig.timing.dispatch_window_ms),
        "expires_at": str(now_ms + rig.timing.expires_after_ms),
        "epoch": "1",
    }
    assert written.body == ACCEPTANCE.body
    assert written.requests == (
        {"event": "requested", "tenant": "acme", "id": "r1", "body": ACCEPTANCE.body},
    )
    assert written.history == (Entry(now_ms, "accepted", {}),)
    assert written.outcomes == ()
    assert written.counts == {"waiting": 1}
    assert written.expiring == frozenset()


def test_an_acceptance_asked_again_is_the_same_acceptance(rig: Rig) -> None:
    # Given
    call = rig.accept()

    # When
    answer = rig.twice(call)

    # Then
    assert answer == Accepted()
    assert len(rig.snapshot().requests) == 1


def test_an_acceptance_asked_again_late_is_still_the_same(rig: Rig) -> None:
    # Given
    rig.ended("sent")

    # When
    answer = rig.unchanged(rig.accept())

    # Then
    assert answer == Accepted()


@pytest.mark.parametrize("state", [*OPEN, *TERMINAL])
def test_the_same_request_again_is_a_duplicate_in_every_state(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)

    # When
    answer = rig.unchanged(rig.accept(marker=ANOTHER_MARKER), noted="duplicate")

    # Then
    assert answer == Duplicate(state)


@pytest.mark.parametrize("state", [*OPEN, *TERMINAL])
def test_another_request_under_the_same_id_conflicts_in_every_state(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)
    other = rig.accept(marker=ANOTHER_MARKER, fingerprint=ANOTHER_FINGERPRINT, body="other")

    # When
    answer = rig.unchanged(other, noted="conflict")

    # Then
    assert answer == Conflict(state)


def test_what_is_asked_for_later_is_delayed_and_due_then(rig: Rig) -> None:
    # Given
    send_at_ms = rig.clock.now_ms + 2 * HOUR_MS

    # When
    rig.run(rig.accept(not_before_ms=send_at_ms))

    # Then
    written = rig.snapshot()
    assert written.counts == {"delayed": 1}
    assert written.due == {"r1": send_at_ms}
    assert written.record["not_before"] == str(send_at_ms)
    assert written.record["expires_at"] == str(send_at_ms + rig.timing.expires_after_ms)


def test_it_is_never_due_after_its_time_has_run_out(rig: Rig) -> None:
    # Given
    expires_at_ms = rig.clock.now_ms + rig.timing.dispatch_window_ms - 1

    # When
    rig.run(rig.accept(expires_at_ms=expires_at_ms))

    # Then
    assert rig.snapshot().due == {"r1": expires_at_ms}


def test_a_time_to_send_that_has_passed_means_at_once(rig: Rig) -> None:
    # Given
    passed_ms = rig.clock.now_ms - MINUTE_MS

    # When
    rig.run(rig.accept(not_before_ms=passed_ms))

    # Then
    written = rig.snapshot()
    assert written.counts == {"waiting": 1}
    assert written.due == {"r1": rig.clock.now_ms + rig.timing.dispatch_window_ms}
    assert written.record["expires_at"] == str(rig.clock.now_ms + rig.timing.expires_after_ms)


def test_the_same_id_of_another_tenant_is_another_request(rig: Rig) -> None:
    # Given
    rig.accepted()
    before = rig.record()
    other = replace(ACCEPTANCE, fingerprint=ANOTHER_FINGERPRINT, marker=ANOTHER_MARKER)

    # When
    answer = rig.run(rig.ledger.accept(Delivery("globex", "r1"), other))

    # Then
    assert answer == Accepted()
    assert rig.record() == before
    assert rig.view.record(Delivery("globex", "r1"))["marker"] == ANOTHER_MARKER


def test_a_receipt_without_a_request_becomes_the_record_of_the_request_that_follows(
    rig: Rig,
) -> None:
    # Given
    assert rig.run(rig.settle_sent()) == StrayPost("late_post")

    # When
    answers = [
        rig.run(rig.accept()),
        rig.run(rig.accept(marker=ANOTHER_MARKER)),
        rig.run(rig.accept(marker=ANOTHER_MARKER, fingerprint=ANOTHER_FINGERPRINT)),
    ]

    # Then
    assert answers == [Duplicate("sent"), Duplicate("sent"), Conflict("sent")]
    assert rig.snapshot().requests == ()


def test_refusals_are_noted_only_so_often(rig: Rig) -> None:
    # Given
    rig.accepted()
    for _ in range(60):
        rig.run(rig.accept(marker=ANOTHER_MARKER))

    # When
    rig.unchanged(rig.accept(marker=ANOTHER_MARKER))
    rig.run(rig.claim())

    # Then
    noted = rig.noted()
    assert noted.count("duplicate") == 49
    assert noted[-1] == "claimed"


@pytest.mark.parametrize("begins", ["accept", "dispatch"])
def test_what_is_left_of_an_earlier_life_does_not_expire_under_the_new_one(
    rig: Rig, begins: str
) -> None:
    # Given
    client, history = rig.ledger.store.client, rig.ledger.keys.history(rig.delivery)
    client.rpush(history, '[1, "duplicate", {}]')
    client.pexpire(history, rig.timing.retention_ms)

    # When
    if begins == "accept":
        rig.run(rig.accept())
    else:
        rig.run(rig.dispatch(create=ACCEPTANCE))

    # Then
    assert rig.noted()[0] == "accepted"
    assert rig.snapshot().expiring == frozenset()
