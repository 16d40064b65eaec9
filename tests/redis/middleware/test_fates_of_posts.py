"""Posted, not now, refused: only what `post` says. Whatever it raises is unknown, never failed."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest
from dramatiq import Retry
from dramatiq.middleware import Middleware, Shutdown, TimeLimitExceeded

from middleware.errors import LedgerUnavailable
from middleware.fates import Posted, Refused
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.provider import TARGET

if TYPE_CHECKING:
    from dramatiq import Broker
    from dramatiq.broker import MessageProxy

    from middleware.ledger import Ledger


class _SaysWhy(Exception):
    """As the errors of HTTP clients: `reason` may be a code, a text or another exception."""

    def __init__(self, reason: object) -> None:
        super().__init__()
        self.reason = reason


class _Noting(Middleware):
    """Notes what Dramatiq thinks of each message."""

    def __init__(self) -> None:
        self.raised: list[BaseException | None] = []

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        self.raised.append(exception)


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


@pytest.mark.parametrize(
    ("error", "is_passed_on"), [(TimeLimitExceeded(), True), (OSError(), False)], ids=repr
)
def test_an_interrupt_goes_on_to_whoever_interrupted_and_an_error_ends_here(
    ledger: Ledger,
    error: BaseException,
    is_passed_on: bool,  # noqa: FBT001 - the expectation
) -> None:
    # Given
    noting = _Noting()
    app = Application(ledger, others=(noting,))
    app.provider.takes.come(error)

    # When
    app.send_and_work()

    # Then
    assert noting.raised == ([error] if is_passed_on else [None])


@pytest.mark.parametrize("answer", [None, True, "ok", {"ok": True}], ids=str)
def test_an_answer_that_is_none_leaves_the_fate_unknown(app: Application, answer: object) -> None:
    # Given
    app.provider.takes.come(answer)

    # When
    app.send_and_work()

    # Then
    assert app.state() == "uncertain"
    assert app.view.snapshot(R1).history[-1].details == {"why": "not_an_answer"}


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
