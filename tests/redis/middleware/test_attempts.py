"""What an actor does before the intent can be repeated: it uses an attempt, and backs off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dramatiq import Retry

from middleware.errors import LedgerUnavailable
from middleware.ledger import DEFAULT_MAX_ATTEMPTS
from tests.redis.middleware.application import R1, Application

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock

LONGEST_BACKOFF_MS = 300_000

# Where it goes wrong, how, and what the history calls it.
MISTAKES = [
    ("starts", ValueError(), "ValueError"),
    ("starts", Retry(delay=1), "Retry"),
    ("starts", LedgerUnavailable(), "LedgerUnavailable"),
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
