"""What failed before the intent used an attempt and backs off; what only waits uses none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dramatiq import Retry

from middleware.errors import LedgerUnavailable
from middleware.fates import NotNow
from middleware.ledger import DEFAULT_MAX_ATTEMPTS
from tests.redis.middleware.application import R1, Application

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock

LONGEST_BACKOFF_MS = 300_000

# Where it goes wrong, how, and what the history calls it.
MISTAKES = [
    ("starts", ValueError(), "ValueError"),
    ("starts", Retry(delay=1), "Retry"),
    ("starts", False, "not_performed"),
    ("prepares", KeyError(), "KeyError"),
    ("prepares", None, "AssertionError"),
]


@pytest.mark.parametrize(("stage", "mistake", "why"), MISTAKES, ids=str)
def test_what_ends_before_the_intent_uses_an_attempt_and_waits(
    app: Application, clock: ManualClock, stage: str, mistake: object, why: str
) -> None:
    # Given
    getattr(app.provider, stage).come(mistake)

    # When
    app.send_and_work()

    # Then
    record, last = app.record(), app.view.snapshot(R1).history[-1]
    assert (record["state"], record["attempts"]) == ("waiting", "1")
    assert clock.now_ms <= int(record["not_before"]) <= clock.now_ms + 1_000
    assert (last.what, last.details["reason"]) == ("postponed", why)
    assert app.provider.posts == []
    assert app.queued() == 0


@pytest.mark.parametrize(("stage", "mistake", "why"), MISTAKES, ids=str)
def test_the_next_attempt_is_as_good_as_the_first(
    app: Application, clock: ManualClock, stage: str, mistake: object, why: str
) -> None:
    # Given
    getattr(app.provider, stage).come(mistake)
    app.send_and_work()

    # When
    clock.advance(ms=LONGEST_BACKOFF_MS)
    app.sweep_and_work()

    # Then
    assert app.record()["attempts"] == "2", why
    assert app.told() == ["sent"]


@pytest.mark.parametrize(("stage", "mistake"), [("starts", False), ("prepares", ValueError())])
def test_when_every_attempt_is_used_it_is_rejected_as_poison(
    app: Application, clock: ManualClock, stage: str, mistake: object
) -> None:
    # Given
    getattr(app.provider, stage).come(*[mistake] * (DEFAULT_MAX_ATTEMPTS + 1))
    app.send_and_work()

    # When
    with app.working():
        for _ in range(DEFAULT_MAX_ATTEMPTS):
            clock.advance(ms=LONGEST_BACKOFF_MS)
            app.sweep()
            app.join()

    # Then
    record = app.record()
    assert (record["state"], record["error"]) == ("rejected", "poison")
    assert len(app.provider.started) == DEFAULT_MAX_ATTEMPTS
    assert app.told() == ["rejected"]


@pytest.mark.parametrize("stage", ["starts", "prepares"])
def test_a_store_that_is_away_before_the_intent_is_waited_for_without_an_attempt(
    app: Application, clock: ManualClock, stage: str
) -> None:
    # Given
    times = DEFAULT_MAX_ATTEMPTS + 1
    getattr(app.provider, stage).come(*[LedgerUnavailable()] * times)
    app.send_and_work()

    # When
    with app.working():
        for _ in range(times):
            clock.advance(ms=LONGEST_BACKOFF_MS)
            app.sweep()
            app.join()

    # Then
    reasons = [
        entry.details["reason"]
        for entry in app.view.snapshot(R1).history
        if entry.what == "postponed"
    ]
    assert reasons == ["ledger_unavailable"] * times
    assert app.told() == ["sent"]
    assert app.record()["attempts"] == "1"


@pytest.mark.parametrize("stage", ["prepares", "takes"])
def test_not_now_gives_the_attempt_back_and_waits_as_long_as_asked(
    app: Application, clock: ManualClock, stage: str
) -> None:
    # Given
    getattr(app.provider, stage).come(NotNow("rate_limited", delay_ms=30_000))

    # When
    app.send_and_work()

    # Then
    record = app.record()
    assert (record["state"], record["attempts"]) == ("waiting", "0")
    assert int(record["not_before"]) == clock.now_ms + 30_000


def test_not_now_without_a_delay_backs_off_by_itself(app: Application, clock: ManualClock) -> None:
    # Given
    app.provider.takes.come(NotNow("connection_refused"))

    # When
    app.send_and_work()

    # Then
    assert clock.now_ms <= int(app.record()["not_before"]) <= clock.now_ms + 1_000


def test_waiting_is_bounded_by_the_deliverys_time_alone(
    app: Application, clock: ManualClock
) -> None:
    # Given
    rounds = 12
    app.provider.takes.come(*[NotNow("connection_refused", delay_ms=300_000)] * rounds)
    app.send_and_work()

    # When
    with app.working():
        for _ in range(rounds - 1):
            clock.advance(ms=300_000)
            app.sweep()
            app.join()
    attempts_waiting = app.record()["attempts"]
    clock.advance(ms=app.ledger.timing.expires_after_ms)
    app.sweep_and_work()

    # Then
    assert len(app.provider.posts) == rounds
    assert attempts_waiting == "0"
    assert app.told() == ["expired"]
