from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from tests.storm.forecast import Asked
from tests.storm.judging import Verdict, judge
from tests.unit.forged_storm import (
    DELIVERY,
    ID,
    OBSERVED,
    STORM,
    answer,
    call,
    followed,
    post,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.storm.calls import Does
    from tests.storm.forecast import Kind


def judged(
    state: str | None,
    *posts: dict[str, Any],
    kind: Kind = "plain",
    told: Sequence[str] | None = None,
    readable: bool = True,
    **others: Any,  # noqa: ANN401 - fields of Observed
) -> Verdict:
    """Of one request, of which all are told what the record says, unless told otherwise."""
    events = told if told is not None else [state] if state is not None else []
    changes = {
        "storm": replace(STORM, readable=readable),
        "asked": [Asked(tenant="acme", id=ID, kind=kind)],
        "followed": [followed(state)],
        "posts": posts,
        "told": {DELIVERY: events},
        "heard": {DELIVERY: events},
        "folded": {DELIVERY: ["requested", *events]},
    }
    return judge(replace(OBSERVED, **{**changes, **others}))


def broken(verdict: Verdict) -> set[str]:
    return {name for name, number, must_be in verdict.rows() if must_be not in (None, number)}


@pytest.mark.parametrize(
    ("state", "kind", "posts"),
    [
        ("sent", "plain", (post(),)),
        ("sent", "cancelled", (post(),)),
        ("cancelled", "cancelled", ()),
        ("expired", "expiring", ()),
        ("rejected", "doomed", ()),
    ],
)
def test_what_ended_as_it_may_holds(
    state: str, kind: Kind, posts: tuple[dict[str, Any], ...]
) -> None:
    # When
    verdict = judged(state, *posts, kind=kind)

    # Then
    assert verdict.holds
    assert verdict.culprits == {}
    assert (verdict.requested, verdict.accepted, verdict.duplicates) == (2, 1, 1)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(post(ts="1700000001.000100"), id="both names"),
        pytest.param(post(ts="1700000001.000100", text="Hello"), id="marker"),
        pytest.param(post(ts="1700000001.000100", marker="another"), id="ref"),
    ],
)
def test_a_second_message_of_a_request_is_doubled(second: dict[str, Any]) -> None:
    # When
    verdict = judged("sent", post(), second)

    # Then
    assert broken(verdict) == {"doubled"}
    assert verdict.doubled == 1
    assert list(verdict.culprits.values()) == [("doubled",)]


def test_a_message_of_no_request_is_doubled() -> None:
    # When
    verdict = judged("sent", post(), post(marker="another", text=f"Hello, ref {UUID(int=2)}"))

    # Then
    assert broken(verdict) == {"doubled"}


@pytest.mark.parametrize("posts", [(), (post(marker="another"),), (post(text="Hello"),)])
def test_sent_without_a_message_in_slack_by_both_names_is_lost(
    posts: tuple[dict[str, Any], ...],
) -> None:
    # Then
    assert "lost" in broken(judged("sent", *posts))


def test_a_request_without_a_record_is_lost() -> None:
    # Then
    assert "lost" in broken(judged(None))


@pytest.mark.parametrize("state", ["waiting", "claimed", "sending", "uncertain"])
def test_whatever_is_open_in_the_end_is_too_much(state: str) -> None:
    # Then
    assert broken(judged(state, told=())) == {"open"}


@pytest.mark.parametrize("posts", [(), (post(),)])
def test_unproven_holds_only_where_history_cannot_be_read(
    posts: tuple[dict[str, Any], ...],
) -> None:
    # Then
    assert broken(judged("unproven", *posts)) == {"unproven"}
    assert judged("unproven", *posts, readable=False).holds


@pytest.mark.parametrize(
    ("state", "kind"),
    [("cancelled", "cancelled"), ("expired", "expiring"), ("rejected", "doomed")],
)
def test_what_is_recorded_as_never_posted_and_was_posted_is_contradicted(
    state: str, kind: Kind
) -> None:
    # Then
    assert broken(judged(state, post(), kind=kind)) == {"contradicted"}


def test_a_receipt_of_another_message_is_contradicted() -> None:
    # Then
    assert broken(judged("sent", post(ts="1700000001.000100"))) == {"contradicted"}


@pytest.mark.parametrize("state", ["rejected", "expired", "cancelled"])
def test_an_end_that_nobody_asked_for_does_not_hold(state: str) -> None:
    # Then
    assert broken(judged(state)) == {"unasked"}


def test_what_can_never_be_posted_is_not_left_unproven() -> None:
    # Then
    assert broken(judged("unproven", kind="doomed", readable=False)) == {"unasked"}


@pytest.mark.parametrize("state", ["sent", "unproven", "expired"])
def test_a_cancel_that_was_answered_ok_ends_cancelled_and_nothing_else(state: str) -> None:
    # Given
    answers = [*OBSERVED.answers, answer("Ok", does="cancel")]
    posts = (post(),) if state == "sent" else ()

    # When
    verdict = judged(state, *posts, kind="cancelled", answers=answers, readable=False)

    # Then
    assert broken(verdict) == {"unasked"}
    assert judged("cancelled", kind="cancelled", answers=answers).holds


@pytest.mark.parametrize("said", ["Asked", "TooLate", "Unknown"])
def test_a_cancel_that_came_too_late_may_end_otherwise(said: str) -> None:
    # Given
    answers = [*OBSERVED.answers, answer(said, does="cancel")]

    # Then
    assert judged("sent", post(), kind="cancelled", answers=answers).holds


@pytest.mark.parametrize(
    "told",
    [
        (),
        ("unproven",),
        ("sent", "unproven"),
        ("rejected", "sent"),
        ("sent", "sent"),
        ("expired", "expired", "sent"),
    ],
)
def test_whoever_follows_outcomes_must_believe_what_the_ledger_does(told: tuple[str, ...]) -> None:
    # Then
    assert broken(judged("sent", post(), told=told)) == {"untold"}


@pytest.mark.parametrize("told", [("unproven", "sent"), ("rejected", "redriven", "sent")])
def test_an_outcome_that_was_put_right_later_holds(told: tuple[str, ...]) -> None:
    # Then
    assert judged("sent", post(), told=told).holds


@pytest.mark.parametrize(
    "heard", [(), ("unproven",), ("sent", "rejected")], ids=["nothing", "another", "too much"]
)
def test_who_follows_outcomes_must_have_heard_each_of_them(heard: tuple[str, ...]) -> None:
    # Then
    verdict = judged("sent", post(), heard={DELIVERY: heard})
    assert broken(verdict) == {"unheard"}


def test_an_outcome_that_was_heard_twice_holds() -> None:
    # Then
    assert judged("sent", post(), heard={DELIVERY: ("sent", "sent")}).holds


@pytest.mark.parametrize("folded", [(), ("requested",), ("requested", "sent", "sent")])
def test_a_timeline_must_hold_what_was_told(folded: tuple[str, ...]) -> None:
    # Then
    assert broken(judged("sent", post(), folded={DELIVERY: folded})) == {"unfolded"}


@pytest.mark.parametrize("listed", [{}, {DELIVERY: 2}])
def test_a_request_must_be_listed_once_as_it_ended(listed: dict[object, int]) -> None:
    # Then
    assert broken(judged("sent", post(), listed=listed)) == {"unlisted"}


@pytest.mark.parametrize("alarm", ["late_post", "duplicate_post"])
def test_an_alarm_does_not_hold(alarm: str) -> None:
    # Then
    assert broken(judged("sent", post(), told=("sent", alarm))) == {alarm}


@pytest.mark.parametrize("said", [None, "Conflict", "RequestRefused"])
def test_a_request_that_was_not_heard_to_be_taken_does_not_hold(said: str | None) -> None:
    # When
    verdict = judged("sent", post(), answers=[answer("Accepted"), answer(said)])

    # Then
    assert broken(verdict) == {"unanswered"}


@pytest.mark.parametrize("does", ["request", "nudge", "cancel"])
def test_a_call_that_was_never_answered_does_not_hold(does: Does) -> None:
    # When
    verdict = judged("sent", post(), calls=[*OBSERVED.calls, call(does)])

    # Then
    assert broken(verdict) == {"unanswered"}


def test_a_storm_whose_services_died_at_once_does_not_hold() -> None:
    # Given
    nothing: dict[str, Any] = {
        name: {} for name in ("told", "heard", "folded", "listed", "followed", "posts", "answers")
    }

    # When
    verdict = judge(replace(OBSERVED, **nothing))

    # Then
    assert broken(verdict) == {"unanswered"}
    assert verdict.unanswered == verdict.requested == 2
