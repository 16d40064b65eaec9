"""Who sends a message for a delivery is told at once, and by type, why it was not enqueued."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from middleware.errors import (
    AlreadyDispatched,
    AlreadySettled,
    NotDueYet,
    RequestUnknown,
    ThreadConflict,
)
from middleware.fates import NotNow, Refused
from tests.redis.middleware.application import KEY, R1, Application

if TYPE_CHECKING:
    from middleware.ledger import Ledger
    from middleware.stub_ledger import ManualClock


@pytest.fixture
def app(ledger: Ledger) -> Application:
    # The kind of actor is of no consequence before it runs.
    return Application(ledger)


@pytest.fixture
def needing(ledger: Ledger) -> Application:
    """An application whose deliveries must be accepted first."""
    return Application(ledger, key=replace(KEY, needs_acceptance=True))


def test_what_was_never_accepted_is_unknown(needing: Application) -> None:
    # Given
    needing.accept(type(R1)("acme", "another"))

    # When
    with pytest.raises(RequestUnknown) as refusal:
        needing.send()

    # Then
    assert str(R1) in str(refusal.value)
    assert needing.queued() == 0
    assert needing.state() == "none"


def test_what_was_accepted_may_be_nudged(needing: Application) -> None:
    # Given
    needing.accept()

    # When
    needing.send_and_work()

    # Then
    assert needing.told() == ["sent"]


def test_what_is_to_be_sent_later_is_not_due_yet(needing: Application, clock: ManualClock) -> None:
    # Given
    send_at_ms = clock.now_ms + 3_600_000
    needing.accept(not_before_ms=send_at_ms)

    # When
    with pytest.raises(NotDueYet) as refusal:
        needing.send()

    # Then
    assert refusal.value.until_ms == send_at_ms
    assert needing.queued() == 0


def test_what_is_to_be_sent_later_is_sent_then(needing: Application, clock: ManualClock) -> None:
    # Given
    needing.accept(not_before_ms=clock.now_ms + 3_600_000)
    needing.sweep_and_work()
    sent_before = needing.told()

    # When
    clock.advance(ms=3_600_000)
    needing.sweep_and_work()

    # Then
    assert sent_before == []
    assert needing.told() == ["sent"]


def test_a_second_message_is_told_the_first_ones_id(app: Application) -> None:
    # Given
    first = app.send()

    # When
    with pytest.raises(AlreadyDispatched) as refusal:
        app.send()

    # Then
    assert refusal.value.message_id == first
    assert app.queued() == 1


def test_what_waits_to_be_repeated_is_not_due_yet(app: Application, clock: ManualClock) -> None:
    # Given
    app.provider.takes.come(NotNow("rate_limited", delay_ms=30_000))
    app.send_and_work()

    # When
    with pytest.raises(NotDueYet) as refusal:
        app.send()

    # Then
    assert refusal.value.until_ms == clock.now_ms + 30_000


@pytest.mark.parametrize("outcome", ["sent", "rejected"])
def test_what_has_its_outcome_is_told_it(app: Application, outcome: str) -> None:
    # Given
    if outcome == "rejected":
        app.provider.takes.come(Refused("is_archived", "The channel is archived."))
    app.send_and_work()

    # When
    with pytest.raises(AlreadySettled) as refusal:
        app.send()

    # Then
    assert refusal.value.outcome == outcome


def test_a_nudge_sets_the_thread_of_what_has_none(needing: Application) -> None:
    # Given
    needing.accept()

    # When
    needing.send(thread_ts="17.1")

    # Then
    assert needing.record()["thread_ts"] == "17.1"


def test_a_nudge_sets_the_thread_though_a_message_stands_on_the_queue(
    needing: Application,
) -> None:
    # Given
    needing.accept()
    needing.send()

    # When
    with pytest.raises(AlreadyDispatched):
        needing.send(thread_ts="17.1")

    # Then
    assert needing.record()["thread_ts"] == "17.1"
    assert needing.queued() == 1


def test_a_nudge_for_another_thread_is_a_conflict(needing: Application) -> None:
    # Given
    needing.accept(thread_ts="17.1")

    # When
    with pytest.raises(ThreadConflict) as refusal:
        needing.send(thread_ts="17.2")

    # Then
    assert refusal.value.thread_ts == "17.1"
    assert needing.queued() == 0
