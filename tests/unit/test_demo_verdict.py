from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from middleware.keys import Delivery
from projector.status import Status
from sandbox.demo.followed import Followed
from sandbox.demo.verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST, SECOND = (str(UUID(int=number)) for number in (1, 2))


def followed(id_: str, state: str | None = "sent", error: str | None = None) -> Followed:
    status = None
    if state is not None:
        status = Status(
            tenant="acme",
            message_request_id=id_,
            status=state,
            receipt=None,
            attempts=1,
            error=error,
            requested_at_ms=0,
            due_at_ms=None,
            settled_at_ms=None,
        )
    return Followed(Delivery("acme", id_), marker=f"m-{id_}", status=status)


def post(id_: str, *, marker: str | None = None, text: str | None = None) -> dict[str, Any]:
    return {"marker": marker or f"m-{id_}", "text": text or f"something happened ref {id_}"}


def verdict(*what: Followed, posts: list[dict[str, Any]], **others: Any) -> Verdict:  # noqa: ANN401 - judge's
    answers = {"Accepted": len(what), "Duplicate": len(what)}
    given = {"answers": answers, "seconds": 1.25, **others}
    return judge(followed=what, posts=posts, **given)


def test_all_sent_and_stored_once_holds() -> None:
    # When
    found = verdict(followed(FIRST), followed(SECOND), posts=[post(FIRST), post(SECOND)])

    # Then
    assert found.holds
    assert (found.requested, found.accepted, found.duplicates, found.posted) == (4, 2, 2, 2)


@pytest.mark.parametrize("posts", [[post(FIRST)], [post(FIRST), post(SECOND)]])
def test_none_may_be_unproven_where_history_can_be_read(posts: list[dict[str, Any]]) -> None:
    # When
    found = verdict(followed(FIRST), followed(SECOND, "unproven", "Reset"), posts=posts)

    # Then
    assert not found.holds
    assert (found.unproven, found.lost, found.doubled) == (1, 0, 0)
    assert found.objections == (f"acme/{SECOND} is unproven (Reset)",)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(post(FIRST), id="the same once more"),
        pytest.param(post(FIRST, marker="another"), id="its text under another marker"),
        pytest.param(post(FIRST, text="another text"), id="its marker on another text"),
        pytest.param(post("nobody's"), id="asked for by nobody"),
    ],
)
def test_a_second_message_is_doubled(second: dict[str, Any]) -> None:
    # When
    found = verdict(followed(FIRST), posts=[post(FIRST), second])

    # Then
    assert found.doubled == 1
    assert not found.holds


@pytest.mark.parametrize("state", ["sent", "expired", "cancelled", None])
def test_what_slack_does_not_hold_and_nobody_reports_is_lost(state: str | None) -> None:
    # When
    found = verdict(followed(FIRST, state), posts=[])

    # Then
    assert found.lost == 1
    assert not found.holds


def test_a_message_under_a_foreign_marker_does_not_count_as_found() -> None:
    # When
    found = verdict(followed(FIRST), posts=[post(FIRST, marker="another")])

    # Then
    assert (found.lost, found.doubled) == (1, 1)


@pytest.mark.parametrize(
    ("state", "row"),
    [
        ("rejected", "rejected"),
        ("waiting", "open"),
        ("claimed", "open"),
        ("sending", "open"),
        ("uncertain", "open"),
    ],
)
def test_what_is_not_sent_is_reported_where_it_belongs(state: str, row: str) -> None:
    # When
    found = verdict(followed(FIRST, state), posts=[])

    # Then
    assert (getattr(found, row), found.lost) == (1, 0)
    assert not found.holds


def test_one_that_expired_although_slack_holds_it_is_objected_to() -> None:
    # When
    found = verdict(followed(FIRST, "expired"), posts=[post(FIRST)])

    # Then
    assert found.lost == 0
    assert found.objections == (f"acme/{FIRST} is expired",)


@pytest.mark.parametrize(
    "answers",
    [{"Accepted": 1}, {"Accepted": 2}, {"Accepted": 1, "Duplicate": 1, "Conflict": 1}],
)
def test_other_answers_than_one_acceptance_and_one_duplicate_are_objected_to(
    answers: dict[str, int],
) -> None:
    # When
    found = verdict(followed(FIRST), posts=[post(FIRST)], answers=answers)

    # Then
    assert not found.holds


ONE_EACH = [
    *({name: 1} for name in ("doubled", "lost", "rejected", "open", "unproven")),
    {"objections": ("why",)},
]


@pytest.mark.parametrize("change", ONE_EACH)
def test_each_number_that_must_be_0_counts_and_each_objection(change: Mapping[str, Any]) -> None:
    # Given
    good = verdict(followed(FIRST), posts=[post(FIRST)])

    # When
    bad = replace(good, **change)

    # Then
    assert (good.holds, bad.holds) == (True, False)
