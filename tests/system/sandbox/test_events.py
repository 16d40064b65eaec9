from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack import SlackSandbox
from sandbox.slack.faults import RateLimited

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from slack_sdk import WebClient

LIMIT_S = 5.0


async def frames(stream: aiohttp.StreamReader) -> AsyncIterator[dict[str, str]]:
    frame: dict[str, str] = {}
    async for line in stream:
        name, found, value = line.decode().rstrip("\n").partition(": ")
        if found:
            frame[name] = value
        elif "event" in frame:
            yield frame
            frame = {}


async def heard(
    slack: SlackSandbox,
    *,
    kinds: tuple[str, ...],
    after: str | None = None,
    last_event_id: str | None = None,
) -> list[dict[str, str]]:
    """What a page hears until the last of `kinds` came, totals left out unless asked for."""
    query = {} if after is None else {"after": after}
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    url = f"{slack.page_url}sandbox/events"
    missing = list(kinds)
    found = []
    async with (
        asyncio.timeout(LIMIT_S),
        aiohttp.ClientSession() as session,
        session.get(url, params=query, headers=headers) as response,
    ):
        assert response.content_type == "text/event-stream"
        async for frame in frames(response.content):
            if frame["event"] == missing[0]:
                found.append(frame)
                missing.pop(0)
            if not missing:
                break
    return found


def last_event(slack: SlackSandbox) -> str:
    async def asked() -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{slack.page_url}sandbox/posts") as response,
        ):
            snapshot = await response.json()
        return str(snapshot["event"])

    return asyncio.run(asked())


def test_a_page_hears_all_that_happened_since_it_read_everything(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # Given
    before = last_event(slack)

    # When
    ts = bot.chat_postMessage(channel="C1", text="hi")["ts"]
    bot.chat_update(channel="C1", ts=ts, text="ho")
    bot.chat_delete(channel="C1", ts=ts)

    # Then
    kinds = ("totals", "posted", "edited", "deleted")
    told = asyncio.run(heard(slack, kinds=kinds, after=before))
    _, posted, edited, deleted = (json.loads(frame["data"]) for frame in told)
    assert posted["post"]["text"] == "hi"
    assert posted["totals"] == {"received": 1, "stored": 1, "duplicates": 0, "faults": 0}
    assert edited["post"]["text"] == "ho"
    assert deleted == {"team": "T1", "channel": "C1", "ts": ts}


def test_a_page_hears_what_happens_while_it_listens(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    async def listening() -> list[dict[str, str]]:
        hearing = asyncio.create_task(heard(slack, kinds=("posted",), after=last))
        await asyncio.to_thread(bot.chat_postMessage, channel="C1", text="hi")
        return await hearing

    last = last_event(slack)

    # When
    (frame,) = asyncio.run(listening())

    # Then
    assert json.loads(frame["data"])["post"]["text"] == "hi"


def test_a_page_that_comes_back_hears_what_it_missed_and_nothing_twice(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # Given
    before = last_event(slack)
    bot.chat_postMessage(channel="C1", text="one")
    (one,) = asyncio.run(heard(slack, kinds=("posted",), after=before))

    # When
    bot.chat_postMessage(channel="C1", text="two")
    (two,) = asyncio.run(heard(slack, kinds=("posted",), last_event_id=one["id"]))

    # Then
    assert json.loads(two["data"])["post"]["text"] == "two"


def test_a_page_from_an_earlier_run_is_told_to_read_everything_anew(slack: SlackSandbox) -> None:
    # When
    (told,) = asyncio.run(heard(slack, kinds=("reset",), last_event_id="abc123-7"))

    # Then
    assert told["event"] == "reset"
    assert told["id"] == last_event(slack)


def test_a_fault_that_strikes_is_told_with_the_totals(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    slack.fault(RateLimited(method="auth.test"))
    before = last_event(slack)

    # When
    with pytest.raises(SlackApiError):
        bot.auth_test()

    # Then
    (told,) = asyncio.run(heard(slack, kinds=("totals",), after=before))
    assert json.loads(told["data"])["faults"] == 1


def test_streams_end_with_the_server() -> None:
    # Given
    slack = SlackSandbox().start()

    async def listening() -> bytes:
        async with (
            asyncio.timeout(LIMIT_S),
            aiohttp.ClientSession() as session,
            session.get(f"{slack.page_url}sandbox/events") as response,
        ):
            await response.content.readline()
            await asyncio.to_thread(slack.stop)
            return await response.read()

    # When
    rest = asyncio.run(listening())

    # Then
    assert rest.strip() == b""
