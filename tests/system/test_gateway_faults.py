from __future__ import annotations

import asyncio
import logging
import traceback
from typing import TYPE_CHECKING

import pytest

from actors.slack.errors import FateUnknown
from actors.slack.message import SlackMessage
from middleware.post_by import boot_clock_s
from tests.system.faulting_server import FaultingServer, faulting_server
from tests.system.posting import fate_of, gateway_to
from tests.system.slack_faults import (
    GENEROUS_MS,
    POSTED,
    ROWS,
    SHORT_MS,
    TEXT,
    TOKEN,
    Row,
    Unknown,
    answering,
    never_answer,
    reset_unread,
    slow_drip,
)
from tests.waiting import wait_in_loop_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from middleware.fates import PostAnswer

each_row = pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def _every_logger_open(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    names = ["slack_sdk", "slack_sdk.web.async_base_client", "aiohttp.client", "asyncio"]
    before = {name: logging.getLogger(name).level for name in names}
    caplog.set_level(logging.DEBUG)
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


async def post_to(row: Row) -> tuple[PostAnswer | FateUnknown, FaultingServer]:
    async with (
        row.peer() as server,
        gateway_to(server.url, deadline_ms=row.deadline_ms) as gateway,
    ):
        return await fate_of(gateway), server


@each_row
def test_each_fault_has_its_outcome_and_is_never_posted_twice(row: Row) -> None:
    # Given a Slack that fails as the row says
    # When one message is posted
    fate, server = asyncio.run(post_to(row))

    # Then
    outcome = Unknown() if isinstance(fate, FateUnknown) else fate
    assert (outcome, server.posts, len(server.requests)) == (row.outcome, row.posts, row.posts)


@pytest.mark.usefixtures("_every_logger_open")
@each_row
def test_no_fault_brings_token_or_text_into_logs_and_errors(
    row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    # Given loggers that let everything through, slack_sdk's too
    # When
    fate, _ = asyncio.run(post_to(row))

    # Then
    said = [f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records]
    if isinstance(fate, FateUnknown):
        said += [repr(fate), *traceback.format_exception(fate)]
        assert (fate.__cause__, fate.__context__) == (None, None)
    assert not [line for line in said if TOKEN in line or TEXT in line]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_the_token_nowhere(status: int) -> None:
    async def scenario() -> FaultingServer:
        # Given a redirect to a host that would accept
        async with faulting_server(answering(POSTED)) as other:
            location = {"Location": f"{other.url}chat.postMessage"}
            redirect = answering(b"", status=status, headers=location)
            async with faulting_server(redirect) as server, gateway_to(server.url) as gateway:
                # When
                await fate_of(gateway)
            return other

    # Then
    assert asyncio.run(scenario()).connections == []


def test_a_slow_drip_ends_with_the_deadline() -> None:
    async def scenario() -> float:
        # Given
        async with (
            faulting_server(slow_drip) as server,
            gateway_to(server.url, deadline_ms=SHORT_MS) as gateway,
        ):
            begun_s = boot_clock_s()
            # When
            await fate_of(gateway)
            return boot_clock_s() - begun_s

    # Then
    assert SHORT_MS / 2000 < asyncio.run(scenario()) < 5


def test_a_reset_while_sending_is_unknown() -> None:
    async def scenario() -> tuple[PostAnswer | FateUnknown, FaultingServer]:
        # Given a message that does not fit into what the server reads before it resets
        long = SlackMessage(text="x" * 1_000_000, blocks=None, marker="m1")
        async with faulting_server(reset_unread) as server, gateway_to(server.url) as gateway:
            # When
            return await fate_of(gateway, message=long), server

    fate, server = asyncio.run(scenario())

    # Then
    assert isinstance(fate, FateUnknown)
    assert server.posts == 1


def test_cancellation_passes_and_drops_the_connection() -> None:
    async def scenario() -> FaultingServer:
        async with (
            faulting_server(never_answer) as server,
            gateway_to(server.url, deadline_ms=GENEROUS_MS) as gateway,
        ):
            # Given a POST that waits for its answer
            posting = asyncio.create_task(fate_of(gateway))
            await wait_in_loop_until(lambda: server.posts == 1, description="the POST")

            # When
            posting.cancel()

            # Then
            with pytest.raises(asyncio.CancelledError):
                await posting
            await server.all_clients_left()
            return server

    assert asyncio.run(scenario()).posts == 1
