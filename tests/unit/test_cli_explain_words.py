from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from actors.commands.explain_words import account, verdict
from actors.options import State
from projector.explanation import Evidence, Explanation
from projector.status import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

STATES = get_args(State)
INTENT_MS = 1_800_000_000_123


def explained(state: str, facts: Mapping[str, str]) -> Explanation:
    status = Status(
        tenant="acme",
        message_request_id="r1",
        status=state,
        receipt=None,
        attempts=1,
        error=None,
        requested_at_ms=INTENT_MS - 1_000,
        due_at_ms=None,
        settled_at_ms=None,
    )
    return Explanation(status, facts, (Evidence(INTENT_MS, "ledger", "sending", {"token": "abc"}),))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("facts", [{}, {"error": "e", "reason": "r", "stray_receipts": "{}"}])
def test_every_state_has_its_meaning_and_a_next_step(state: str, facts: Mapping[str, str]) -> None:
    # When
    said = verdict(explained(state, facts))

    # Then
    assert "to be done" in said or "postonce redrive acme r1" in said
    assert "{" not in said
    assert ".." not in said


def test_what_is_unproven_is_to_be_looked_for_at_its_place_and_time() -> None:
    # Given
    target = '{"channel":"C1","team":"T1","thread_ts":"1700000000.000100"}'

    # When
    said = verdict(explained("unproven", {"error": "missing_scope", "target": target}))

    # Then
    for part in ("missing_scope", "C1", "T1", "1700000000.000100", "2027-01-15 08:00:00 UTC"):
        assert part in said


def test_what_may_be_outside_its_thread_is_to_be_looked_for_in_the_channel_too() -> None:
    # When
    said = verdict(explained("unproven", {"error": "thread_of_a_reply"}))

    # Then
    assert "(thread_of_a_reply). Its thread_ts is a reply's" in said
    assert "or into the channel itself, so look in both" in said


def test_where_its_place_is_lost_the_channel_of_that_time_is_to_be_looked_into() -> None:
    # When
    said = verdict(explained("unproven", {"error": "target_lost_and_channel_changed"}))

    # Then
    assert (
        "(target_lost_and_channel_changed). In Slack open the channel that its code named" in said
    )


def test_what_is_unproven_names_the_commands_for_either_finding() -> None:
    # When
    said = verdict(explained("unproven", {}))

    # Then
    assert "postonce redrive acme r1 --mark-sent TS --why" in said
    assert "postonce redrive acme r1 --post-again --why" in said


def test_what_is_rejected_says_why() -> None:
    # When
    said = verdict(explained("rejected", {"error": "is_archived", "reason": "It is archived"}))

    # Then
    assert "is_archived" in said
    assert "It is archived. " in said


def test_a_post_that_contradicts_the_record_is_told_with_the_outcome() -> None:
    # When
    said = verdict(explained("expired", {"stray_receipts": '{"channel":"C1","ts":"17.5"}'}))

    # Then
    assert "time ran out" in said
    assert "channel C1, ts 17.5" in said


def test_a_trace_without_a_record_is_said_to_be_one() -> None:
    # Then
    assert "trace" in verdict(Explanation(None, {}, ()))


@pytest.mark.parametrize(
    ("what", "details", "said"),
    [
        ("claimed", {"attempt": 2, "by": "vm:1:2", "token": "abcd"}, "attempt 2, by vm:1:2"),
        ("postponed", {"reason": "rate_limited", "delay_ms": 12_000.0}, "12.0 s"),
        ("swept", {"again_after_ms": 60_000}, "if no worker takes it, once more after 1 min"),
        ("absent", {"read_begun": INTENT_MS}, "08:00:00.123"),
        ("late_post", {"receipt": '{"ts":"17.5"}'}, "ts 17.5"),
        ("redriven", {"by": "ada@ops", "why": "w", "ended": "expired"}, "by ada@ops, w: it had"),
        ("post ordered", {"by": "ada@ops", "why": "w", "ended": "unproven"}, "ended unproven"),
        ("marked sent", {"by": "ada@ops", "why": "w"}, "by ada@ops, w: a person"),
        ("cancel asked", {"by": "ada@ops", "why": ""}, "by ada@ops: it is"),
        ("cancel asked", {"by": "", "why": ""}, "it is cancelled unless"),
        ("claimed", {}, "(not recorded)"),
        ("something new", {"reason": "r", "depth": 3}, "reason r, depth 3"),
        ("something new", {}, ""),
    ],
)
def test_an_entry_is_told_with_its_details(
    what: str, details: Mapping[str, object], said: str
) -> None:
    # Then
    assert said in account(Evidence(INTENT_MS, "ledger", what, details))


def test_an_end_that_was_taken_back_is_told_with_who_and_why() -> None:
    # Given
    event = Evidence(INTENT_MS, "event", "redriven", {"by": "ada@ops", "why": "it is back"})

    # Then
    assert "by ada@ops, it is back: " in account(event)


@pytest.mark.parametrize("what", ["requested", "sent", "late_post", "something new"])
def test_every_event_is_told(what: str) -> None:
    # Then
    assert account(Evidence(INTENT_MS, "event", what, {"receipt": {"ts": "17.5"}}))
