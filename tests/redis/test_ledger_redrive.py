from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Ok, Settled, StrayPost, TooLate, Unknown
from middleware.operating import InProgress, MayBePosted
from middleware.timing import HOUR_MS
from tests.redis.ledger_calls import ACCEPTANCE, NEXT_MARKER, ORDER
from tests.redis.ledger_view import OPEN

if TYPE_CHECKING:
    from tests.redis.delivering import Rig

NEVER_POSTED = ("rejected", "expired", "cancelled")
WAITING_ANEW = {
    "state": "waiting",
    "counted": "waiting",
    "marker": NEXT_MARKER,
    "attempts": "0",
    "returns": "0",
    "dispatches": "0",
    "not_before": "0",
}
# Of the round before, and wrong in this one.
GONE = {"token", "settled_at", "error", "reason", "cancel_asked", "intent_at", "target", "message"}


def test_nothing_is_redriven_that_was_never_accepted(rig: Rig) -> None:
    # Given
    call = rig.redrive()

    # When
    answer = rig.unchanged(call)

    # Then
    assert answer == Unknown()


@pytest.mark.parametrize("outcome", NEVER_POSTED)
def test_what_was_never_posted_waits_again_as_if_it_were_new(rig: Rig, outcome: str) -> None:
    # Given
    rig.ended(outcome)
    before = rig.record()
    rig.clock.advance(ms=HOUR_MS)

    # When
    answer = rig.twice(rig.redrive())

    # Then
    written = rig.snapshot()
    now_ms = rig.clock.now_ms
    assert answer == Ok()
    assert WAITING_ANEW.items() <= written.record.items()
    assert not written.record.keys() & GONE
    assert written.record["expires_at"] == str(now_ms + rig.timing.expires_after_ms)
    for kept in ("fingerprint", "accepted_at", "actor", "queue", "priority", "max_attempts"):
        assert written.record[kept] == before[kept]
    assert written.body == ACCEPTANCE.body
    assert written.expiring == frozenset()
    assert (written.due, written.counts) == ({"r1": now_ms}, {"waiting": 1})


@pytest.mark.parametrize(
    ("outcome", "noted"), [("rejected", "redriven"), ("unproven", "post ordered")]
)
def test_who_ordered_it_and_why_is_kept_and_told(rig: Rig, outcome: str, noted: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    rig.run(rig.redrive(post_again=outcome == "unproven"))

    # Then
    written = rig.snapshot()
    told, entry = written.outcomes[-1], written.history[-1]
    assert rig.told() == [outcome, "redriven"]
    assert (told["by"], told["why"], told["at"]) == (ORDER.by, ORDER.why, str(rig.clock.now_ms))
    assert (told["attempts"], told["error"], told["receipt"]) == ("0", "", "")
    assert ("another post is ordered" in told["reason"]) == (outcome == "unproven")
    assert (entry.at_ms, entry.what) == (rig.clock.now_ms, noted)
    assert entry.details == {"by": ORDER.by, "why": ORDER.why, "ended": outcome}


@pytest.mark.parametrize("place", [*OPEN, "looking"])
@pytest.mark.parametrize("post_again", [False, True])
def test_what_has_not_ended_is_not_redriven(rig: Rig, place: str, *, post_again: bool) -> None:
    # Given
    rig.brought_to(place)
    state = rig.record()["state"]

    # When
    answer = rig.unchanged(rig.redrive(post_again=post_again))

    # Then
    assert answer == InProgress(state)


@pytest.mark.parametrize("post_again", [False, True])
def test_what_was_sent_is_never_posted_again(rig: Rig, *, post_again: bool) -> None:
    # Given
    rig.ended("sent")

    # When
    answer = rig.unchanged(rig.redrive(post_again=post_again))

    # Then
    assert answer == TooLate("sent")


def test_what_is_unproven_is_not_posted_again_unless_that_is_ordered(rig: Rig) -> None:
    # Given
    rig.ended("unproven")

    # When
    unordered = rig.unchanged(rig.redrive())
    ordered = rig.twice(rig.redrive(post_again=True))

    # Then
    assert (unordered, ordered) == (MayBePosted("unproven"), Ok())
    assert WAITING_ANEW.items() <= rig.record().items()


@pytest.mark.parametrize("outcome", NEVER_POSTED)
def test_another_post_is_not_ordered_of_what_was_never_posted(rig: Rig, outcome: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answer = rig.unchanged(rig.redrive(post_again=True))

    # Then
    assert answer == TooLate(outcome)


@pytest.mark.parametrize("outcome", NEVER_POSTED)
def test_what_was_posted_after_all_is_not_posted_again_unless_that_is_ordered(
    rig: Rig, outcome: str
) -> None:
    # Given
    rig.ended(outcome)
    assert rig.run(rig.settle_sent()) == StrayPost("late_post")

    # When
    unordered = rig.unchanged(rig.redrive())
    ordered = rig.twice(rig.redrive(post_again=True))

    # Then
    assert (unordered, ordered) == (MayBePosted(outcome), Ok())
    assert "stray_receipts" not in rig.record()


def ends(rig: Rig, outcome: str) -> object:
    """The answer by which the current round ends like this; nothing was posted in it."""
    if outcome == "expired":
        rig.clock.advance(ms=rig.timing.expires_after_ms)
        return rig.twice(rig.claim())
    if outcome == "cancelled":
        return rig.twice(rig.cancel())
    rig.run(rig.claim())
    return rig.twice(rig.settle_rejected())


ANSWERS = {"rejected": Ok(), "expired": Settled("unproven"), "cancelled": TooLate("unproven")}


@pytest.mark.parametrize("outcome", NEVER_POSTED)
def test_what_may_be_posted_is_so_still_when_the_post_that_was_ordered_is_not_made(
    rig: Rig, outcome: str
) -> None:
    # Given
    rig.ended("unproven")
    rig.run(rig.redrive(post_again=True))

    # When
    answer = ends(rig, outcome)

    # Then
    assert answer == ANSWERS[outcome]
    assert rig.told() == ["unproven", "redriven", "unproven"]
    assert "an earlier one may have been" in rig.record()["reason"]
    assert rig.unchanged(rig.redrive("another round")) == MayBePosted("unproven")
    assert rig.twice(rig.mark_sent()) == Ok()


def test_a_cancel_that_was_asked_for_ends_what_may_be_posted_unproven(rig: Rig) -> None:
    # Given
    rig.ended("unproven")
    rig.run(rig.redrive(post_again=True))
    rig.run(rig.claim())
    rig.run(rig.intend())
    rig.run(rig.cancel())

    # When
    answer = rig.twice(rig.postpone())

    # Then
    assert answer == Settled("unproven")


def test_what_was_posted_after_all_is_known_to_be_so_for_ever(rig: Rig) -> None:
    # Given
    rig.ended("rejected")
    rig.run(rig.settle_sent())
    rig.run(rig.redrive(post_again=True))

    # When
    ends(rig, "rejected")

    # Then
    assert rig.unchanged(rig.redrive("another round")) == MayBePosted("unproven")


def test_an_order_that_is_carried_out_leaves_no_doubt(rig: Rig) -> None:
    # Given
    rig.ended("unproven")
    rig.run(rig.redrive(post_again=True))
    rig.run(rig.claim())
    rig.run(rig.intend())

    # When
    rig.run(rig.settle_sent())

    # Then
    assert rig.told() == ["unproven", "redriven", "sent"]
    assert "perhaps_posted" not in rig.record()
