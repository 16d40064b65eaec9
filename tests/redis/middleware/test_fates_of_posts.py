"""Posted, not now, refused: only what `post` says. Whatever it raises is unknown, never failed."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest
from dramatiq import Retry
from dramatiq.middleware import Shutdown, TimeLimitExceeded

from middleware.errors import LedgerUnavailable
from middleware.fates import NotNow, Posted, Refused
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.provider import TARGET

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock


class _SaysWhy(Exception):
    """As the errors of HTTP clients: `reason` may be a code, a text or another exception."""

    def __init__(self, reason: object) -> None:
        super().__init__()
        self.reason = reason


def test_an_explicit_receipt_is_recorded_and_told_once(app: Application) -> None:
    # Given
    app.provider.takes.come(Posted({"channel": "C1", "ts": "170.01"}))

    # When
    app.send_and_work()

    # Then
    assert app.record()["receipt"] == '{"channel":"C1","ts":"170.01"}'
    assert app.told() == ["sent"]
    assert app.provider.posts == [TARGET]


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        TimeoutError(),
        ConnectionResetError(),
        LedgerUnavailable(),
        Retry(),
        asyncio.CancelledError(),
        TimeLimitExceeded(),
        Shutdown(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_post_raises_leaves_its_fate_unknown(
    app: Application, error: BaseException
) -> None:
    # Given
    app.provider.takes.come(error)

    # When
    app.send_and_work()

    # Then
    assert app.state() == "uncertain"
    assert app.told() == []
    assert app.queued() == 0


@pytest.mark.parametrize("answer", [None, True, "ok", {"ok": True}], ids=str)
def test_an_answer_that_is_none_leaves_the_fate_unknown(app: Application, answer: object) -> None:
    # Given
    app.provider.takes.come(answer)

    # When
    app.send_and_work()

    # Then
    assert app.state() == "uncertain"


@pytest.mark.parametrize(
    ("error", "noted"),
    [
        (_SaysWhy("internal_error"), "internal_error"),
        (_SaysWhy("the token xoxb-1 is not good"), "_SaysWhy"),
        (_SaysWhy(None), "_SaysWhy"),
        (URLError(ConnectionResetError(errno.ECONNRESET, "reset")), "URLError"),
    ],
    ids=["code", "text", "nothing", "another error"],
)
def test_why_it_is_unknown_is_noted_as_a_code_and_never_as_text(
    app: Application, error: Exception, noted: str
) -> None:
    # Given
    app.provider.takes.come(error)

    # When
    app.send_and_work()

    # Then
    last = app.view.snapshot(R1).history[-1]
    assert (last.what, last.details) == ("uncertain", {"why": noted})


def test_what_post_refuses_is_rejected_with_its_code(app: Application) -> None:
    # Given
    app.provider.takes.come(Refused("channel_not_found", "There is no such channel."))

    # When
    app.send_and_work()

    # Then
    record = app.record()
    assert (record["state"], record["error"]) == ("rejected", "channel_not_found")
    assert record["reason"] == "There is no such channel."
    assert record["attempts"] == "1"


def test_what_prepare_refuses_is_rejected_and_used_no_attempt(app: Application) -> None:
    # Given
    app.provider.prepares.come(Refused("template_unknown", "There is no such template."))

    # When
    app.send_and_work()

    # Then
    record = app.record()
    assert (record["state"], record["error"]) == ("rejected", "template_unknown")
    assert record["attempts"] == "0"
    assert app.provider.posts == []


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
