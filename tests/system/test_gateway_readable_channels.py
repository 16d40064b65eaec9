"""What the gateway says of a channel before anything is looked for in it."""

from __future__ import annotations

import asyncio

import pytest

from middleware.fates import CannotTell, NotNow
from sandbox.slack import SlackSandbox
from tests.system.faulting_server import faulting_server
from tests.system.looking import Clock, looking_at
from tests.system.slack_faults import answering

LAST = {"ok": True, "messages": [], "has_more": False}
NOT_UNDERSTOOD = CannotTell("answer_not_understood", final=False)


def asked(url: str) -> CannotTell | NotNow | None:
    async def scenario() -> CannotTell | NotNow | None:
        async with looking_at(url, Clock()) as gateway:
            return await gateway.cannot_read("T1", "C1")

    return asyncio.run(scenario())


def asked_of(answer: dict[str, object]) -> CannotTell | NotNow | None:
    """The same, of something that gives this answer."""

    async def scenario() -> CannotTell | NotNow | None:
        async with (
            faulting_server(answering(answer)) as server,
            looking_at(server.url, Clock()) as gateway,
        ):
            return await gateway.cannot_read("T1", "C1")

    return asyncio.run(scenario())


def test_a_channel_that_slack_shows_can_be_read() -> None:
    # Given
    with SlackSandbox() as slack:
        # When
        answer = asked(slack.url)

    # Then
    assert answer is None


def test_a_channel_whose_older_messages_the_plan_hides_proves_nothing() -> None:
    # Given
    with SlackSandbox(history_limited=True) as slack:
        # When
        answer = asked(slack.url)

    # Then
    assert answer == CannotTell("window_cut", final=True)


def test_a_rate_limit_says_nothing_of_the_channel() -> None:
    # Given
    with SlackSandbox(history_per_minute=1) as slack:
        asked(slack.url)

        # When
        answer = asked(slack.url)

    # Then
    assert isinstance(answer, NotNow)


@pytest.mark.parametrize(
    ("page", "cannot"),
    [
        pytest.param(LAST, None, id="the_end"),
        pytest.param(
            {**LAST, "has_more": True, "response_metadata": {"next_cursor": "x"}}, None, id="more"
        ),
        pytest.param({"ok": True}, NOT_UNDERSTOOD, id="nothing"),
        pytest.param({"ok": True, "messages": []}, NOT_UNDERSTOOD, id="no_end"),
        pytest.param({**LAST, "messages": [{}]}, NOT_UNDERSTOOD, id="no_messages_of_slacks"),
    ],
)
def test_a_page_that_no_look_would_understand_is_no_good_sign(
    page: dict[str, object], cannot: CannotTell | None
) -> None:
    assert asked_of(page) == cannot
