from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from middleware.keys import Delivery
from projector.status import Status
from sandbox.demo.followed import Followed
from tests.storm.calls import Answer
from tests.storm.forecast import Asked
from tests.storm.judging import Observed, Verdict, judge

if TYPE_CHECKING:
    from tests.storm.forecast import Kind

ID = str(UUID(int=1))
TS = "1700000000.000100"


def post(*, ts: str = TS, marker: str = "m", text: str = f"Hello, ref {ID}") -> dict[str, Any]:
    return {"channel": "C1", "ts": ts, "marker": marker, "text": text}


def judged(
    state: str | None,
    *posts: dict[str, Any],
    kind: Kind = "plain",
    answers: tuple[str | None, ...] = ("Accepted", "Duplicate"),
    told: tuple[str, ...] | None = None,
    may_be_unproven: bool = False,
) -> Verdict:
    """Of one request, of which followers were told what the record says, unless told otherwise."""
    delivery = Delivery("acme", ID)
    events = told if told is not None else (state,) if state is not None else ()
    observed = Observed(
        asked=[Asked(tenant="acme", id=ID, kind=kind)],
        answers=[
            Answer(does="request", tenant="acme", id=ID, answer=answer, tries=1)
            for answer in answers
        ],
        followed=[Followed(delivery, "m", status(state))],
        posts=posts,
        told={delivery: events},
    )
    return judge(observed, may_be_unproven=may_be_unproven)


def status(state: str | None) -> Status | None:
    if state is None:
        return None
    return Status(
        tenant="acme",
        message_request_id=ID,
        status=state,
        receipt={"channel": "C1", "ts": TS} if state == "sent" else None,
        attempts=1,
        error=None,
        requested_at_ms=0,
        due_at_ms=None,
        settled_at_ms=None,
    )


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
    assert judged("unproven", *posts, may_be_unproven=True).holds


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


@pytest.mark.parametrize("told", [(), ("unproven",), ("sent", "unproven")])
def test_whoever_follows_outcomes_must_believe_what_the_ledger_does(told: tuple[str, ...]) -> None:
    # Then
    assert broken(judged("sent", post(), told=told)) == {"untold"}


def test_an_outcome_that_was_put_right_later_holds() -> None:
    # Then
    assert judged("sent", post(), told=("unproven", "sent")).holds


@pytest.mark.parametrize("alarm", ["late_post", "duplicate_post"])
def test_an_alarm_does_not_hold(alarm: str) -> None:
    # Then
    assert broken(judged("sent", post(), told=("sent", alarm))) == {alarm}


@pytest.mark.parametrize("answer", [None, "Conflict", "RequestRefused"])
def test_a_request_that_was_not_heard_to_be_taken_does_not_hold(answer: str | None) -> None:
    # When
    verdict = judged("sent", post(), answers=("Accepted", answer))

    # Then
    assert broken(verdict) == {"unanswered"}
