from __future__ import annotations

import asyncio
import time
from http.client import IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING
from urllib.error import URLError

import aiohttp
import pytest
from pydantic import ValidationError
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack.faults import (
    BadUtf8,
    Close,
    Drip,
    Empty,
    ErrorCode,
    GzipType,
    HalfClose,
    HalfReset,
    Held,
    Html,
    JsonList,
    RateLimited,
    Redirect,
    Reset,
    ServerError,
    Silence,
    Slow,
)
from tests.system.sandbox.conftest import TOKEN
from tests.waiting import wait_until

if TYPE_CHECKING:
    from sandbox.slack import SlackSandbox
    from sandbox.slack.faults import Cut, Fault

METADATA = {"event_type": "postonce", "event_payload": {"delivery": "m1"}}


def post(client: WebClient, *, channel: str = "C1") -> None:
    client.chat_postMessage(channel=channel, text="hi", metadata=METADATA)


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        (Reset, ConnectionResetError),
        (Close, RemoteDisconnected),
        (Silence, TimeoutError),
        (HalfClose, IncompleteRead),
    ],
)
def test_a_cut_answer_says_nothing_of_what_was_stored(
    slack: SlackSandbox, kind: type[Cut], raised: type[Exception], *, stored: bool
) -> None:
    # Given
    fault = kind(stored=stored)
    slack.fault(fault)
    bot = WebClient(token=TOKEN, base_url=slack.url, timeout=1, retry_handlers=[])

    # When
    with pytest.raises(raised):
        post(bot)

    # Then
    assert len(slack.posts) == stored
    (attempt,) = slack.attempts
    assert (attempt.stored, attempt.marker, attempt.answer) == (stored, "m1", fault.name)


# The sync client loses its socket on the last of these, and Python complains.
@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        (Reset, aiohttp.ClientOSError),
        (Close, aiohttp.ServerDisconnectedError),
        (Silence, TimeoutError),
        (HalfClose, aiohttp.ClientPayloadError),
        (HalfReset, aiohttp.ClientPayloadError),
    ],
)
def test_an_async_client_meets_the_same_cuts(
    slack: SlackSandbox, kind: type[Cut], raised: type[Exception]
) -> None:
    # Given
    slack.fault(kind(stored=True))
    bot = AsyncWebClient(token=TOKEN, base_url=slack.url, timeout=1, retry_handlers=[])

    # When
    with pytest.raises(raised):
        asyncio.run(bot.chat_postMessage(channel="C1", text="hi"))

    # Then
    assert len(slack.posts) == len(slack.attempts) == 1


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Html(status=200), 200, None),
        (Html(status=500), 500, None),
        (Empty(status=502), 502, None),
        (ServerError(), 503, "service_unavailable"),
        (ServerError(status=500, code="fatal_error"), 500, "fatal_error"),
        (ErrorCode(code="internal_error"), 200, "internal_error"),
    ],
)
def test_an_answer_that_is_no_yes_says_nothing_of_what_was_stored(
    slack: SlackSandbox,
    bot: WebClient,
    fault: Fault,
    status: int,
    code: str | None,
    *,
    stored: bool,
) -> None:
    # Given
    slack.fault(fault.model_copy(update={"stored": stored}))

    # When
    with pytest.raises(SlackApiError) as raised:
        post(bot)

    # Then
    answer = raised.value.response
    assert answer.status_code == status
    assert code is None or answer["error"] == code
    assert len(slack.posts) == stored


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(JsonList(stored=True), AttributeError), (BadUtf8(stored=True), UnicodeDecodeError)],
)
def test_bytes_that_are_no_answer_break_slacks_own_client(
    slack: SlackSandbox, bot: WebClient, fault: Fault, raised: type[Exception]
) -> None:
    # Given
    slack.fault(fault)

    # When
    with pytest.raises(raised):
        post(bot)

    # Then
    assert len(slack.posts) == 1


def test_an_answer_of_a_wrong_type_reads_as_success_without_data(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # Given
    slack.fault(GzipType(stored=False))

    # When
    answer = bot.chat_postMessage(channel="C1", text="hi")

    # Then
    assert isinstance(answer.data, bytes)
    assert slack.posts == ()


@pytest.mark.parametrize(("retry_after", "header"), [(30, "30"), ("soon", "soon"), (None, None)])
def test_a_rate_limited_post_is_never_stored(
    slack: SlackSandbox, bot: WebClient, retry_after: int | str | None, header: str | None
) -> None:
    # Given
    slack.fault(RateLimited(retry_after=retry_after))

    # When
    with pytest.raises(SlackApiError) as raised:
        post(bot)

    # Then
    answer = raised.value.response
    assert (answer.status_code, answer["error"]) == (429, "ratelimited")
    assert answer.headers.get("Retry-After") == header
    assert slack.posts == ()


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirected_post_that_is_followed_as_a_get_looks_like_success(
    slack: SlackSandbox, bot: WebClient, status: int
) -> None:
    # Given
    slack.fault(Redirect.model_validate({"status": status}))

    # When
    answer = bot.chat_postMessage(channel="C1", text="hi")

    # Then
    assert answer["ok"] is True
    assert slack.posts == ()


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirected_post_that_is_repeated_is_stored_twice(
    slack: SlackSandbox, status: int
) -> None:
    # Given
    slack.fault(Redirect.model_validate({"status": status, "stored": True}))
    bot = AsyncWebClient(token=TOKEN, base_url=slack.url, retry_handlers=[])

    # When
    asyncio.run(bot.chat_postMessage(channel="C1", text="hi", metadata=METADATA))

    # Then
    assert slack.counters["by_marker"] == {"m1": {"received": 2, "stored": 2}}
    assert slack.counters["duplicates"] == 1


def test_a_slow_answer_comes_after_the_message_was_stored(slack: SlackSandbox) -> None:
    # Given
    slack.fault(Slow(delay_ms=60_000))
    bot = WebClient(token=TOKEN, base_url=slack.url, timeout=1, retry_handlers=[])

    # When
    with pytest.raises(TimeoutError):
        post(bot)

    # Then
    assert len(slack.posts) == 1


def test_a_held_post_arrives_after_its_caller_has_gone(slack: SlackSandbox) -> None:
    # Given
    slack.fault(Held(delay_ms=1_500))
    bot = WebClient(token=TOKEN, base_url=slack.url, timeout=1, retry_handlers=[])

    # When
    with pytest.raises(TimeoutError):
        post(bot)
    before = slack.posts

    # Then
    assert before == ()
    assert wait_until(lambda: slack.posts, description="the held post arrives")


def test_a_dripping_answer_outlasts_a_timeout_for_each_read(slack: SlackSandbox) -> None:
    # Given
    slack.fault(Drip(delay_ms=1_200))
    bot = WebClient(token=TOKEN, base_url=slack.url, timeout=1, retry_handlers=[])
    began_s = time.monotonic()

    # When
    post(bot)

    # Then
    assert time.monotonic() - began_s > 1.2


def test_a_slow_slack_delays_every_answer(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    slack.change(slow_ms=200)
    began_s = time.monotonic()

    # When
    bot.auth_test()

    # Then
    assert time.monotonic() - began_s >= 0.2


def test_a_refused_connection_reaches_nobody_and_ends(slack: SlackSandbox, bot: WebClient) -> None:
    # When
    with slack.refusing(), pytest.raises(URLError) as raised:
        post(bot)
    post(bot)

    # Then
    assert isinstance(raised.value.reason, ConnectionRefusedError)
    assert len(slack.attempts) == len(slack.posts) == 1


def test_faults_strike_in_the_order_they_were_added_and_are_used_up(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # Given
    slack.fault(ErrorCode(code="no_permission", times=2), ErrorCode(code="is_archived"))

    # When
    answers = []
    for _ in range(4):
        try:
            post(bot)
            answers.append("ok")
        except SlackApiError as error:
            answers.append(error.response["error"])

    # Then
    assert answers == ["no_permission", "no_permission", "is_archived", "ok"]
    assert slack.counters["faults"] == {"error_code": 3}


def test_a_fault_strikes_the_method_team_and_channel_it_is_aimed_at(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # Given
    slack.fault(
        ErrorCode(times=None, channel="C2"),
        ErrorCode(times=None, team="T2"),
        ErrorCode(times=None, method="conversations.history"),
    )

    # When
    post(bot, channel="C1")
    with pytest.raises(SlackApiError):
        post(bot, channel="C2")
    with pytest.raises(SlackApiError):
        post(WebClient(token="xoxb-T2", base_url=slack.url))
    with pytest.raises(SlackApiError):
        bot.conversations_history(channel="C1")

    # Then
    assert [(p.team, p.channel) for p in slack.posts] == [("T1", "C1")]


def test_faults_with_a_seed_strike_the_same_calls_again(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # Given
    def struck() -> list[bool]:
        slack.clear()
        slack.fault(ErrorCode(times=None, probability=0.5, seed=7))
        for _ in range(20):
            try:
                post(bot)
            except SlackApiError:
                continue
        return [attempt.stored for attempt in slack.attempts]

    # When
    first, second = struck(), struck()

    # Then
    assert first == second
    assert 0 < sum(first) < 20


def test_cleared_faults_strike_nobody(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    slack.fault(Reset(times=None))

    # When
    slack.clear_faults()
    post(bot)

    # Then
    assert len(slack.posts) == 1


def test_a_rate_limited_post_cannot_be_asked_to_be_stored() -> None:
    # When / Then
    with pytest.raises(ValidationError, match="stored"):
        RateLimited.model_validate({"stored": True})


def test_a_fault_lets_calls_pass_before_it_strikes(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    slack.fault(ErrorCode(skip=2))

    # When
    answers: list[bool] = []
    for _ in range(4):
        try:
            post(bot)
        except SlackApiError:
            answers.append(False)
        else:
            answers.append(True)

    # Then
    assert answers == [True, True, False, True]
