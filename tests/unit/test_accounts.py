from __future__ import annotations

import pytest

from tests.accounts import told_otherwise


def otherwise(outcome: str, *told: str) -> set[str]:
    """What is wrong where only followers may have been told otherwise."""
    return set(told_otherwise(outcome, told=told, folded=("requested", *told), listed=1))


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("sent", ["sent"]),
        ("expired", ["expired"]),
        ("unproven", ["unproven"]),
        ("sent", ["unproven", "sent"]),
        ("sent", ["rejected", "redriven", "sent"]),
        ("rejected", ["unproven", "redriven", "rejected"]),
        ("sent", ["expired", "redriven", "cancelled", "redriven", "unproven", "sent"]),
    ],
)
def test_one_outcome_a_round_is_the_whole_story(outcome: str, told: list[str]) -> None:
    # Then
    assert otherwise(outcome, *told) == set()


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("sent", []),
        ("sent", ["unproven"]),
        ("sent", ["sent", "sent"]),
        ("sent", ["rejected", "sent"]),
        ("sent", ["sent", "unproven"]),
        ("sent", ["sent", "redriven", "sent"]),
        ("sent", ["redriven", "sent"]),
        ("rejected", ["sent", "rejected"]),
        ("rejected", ["unproven", "rejected"]),
        ("unproven", ["unproven", "unproven"]),
        ("sent", ["sent", "duplicate_post"]),
    ],
)
def test_another_story_is_told_otherwise(outcome: str, told: list[str]) -> None:
    # Then
    assert otherwise(outcome, *told) == {"untold"}


@pytest.mark.parametrize(
    "folded", [[], ["sent"], ["requested"], ["requested", "sent", "sent"], ["requested", "expired"]]
)
def test_a_timeline_holds_the_request_and_what_was_told(folded: list[str]) -> None:
    # Then
    assert set(told_otherwise("sent", told=["sent"], folded=folded, listed=1)) == {"unfolded"}


@pytest.mark.parametrize("listed", [0, 2])
def test_what_has_ended_is_listed_once(listed: int) -> None:
    # Then
    told, folded = ["sent"], ["requested", "sent"]
    assert set(told_otherwise("sent", told=told, folded=folded, listed=listed)) == {"unlisted"}
