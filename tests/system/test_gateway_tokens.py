from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from threading import Event
from threading import enumerate as enumerate_threads
from typing import TYPE_CHECKING

import pytest
from slack_sdk.oauth.installation_store.models.bot import Bot

from actors.slack.bot_tokens import BotTokens
from actors.slack.errors import InstallationSlow
from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations, installation_store
from actors.slack.message import AuthorizedMessage
from middleware.fates import NotNow
from middleware.post_by import PostBy, boot_clock_s
from tests.system.faulting_server import faulting_server
from tests.system.posting import MESSAGE, TARGET
from tests.system.slack_faults import GENEROUS_MS, POSTED, RECEIPT, answering
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from middleware.fates import PostAnswer

CLIENT = {"SLACK_CLIENT_ID": "111.222"}


class StandingInstallations(Installations):
    """Each team has a token of its own; while T2 is read the store stands still."""

    def __init__(self) -> None:
        super().__init__("env:", environ={})
        self.may_move = Event()

    def token_for(self, team_id: str) -> str:
        if team_id == "T2":
            assert self.may_move.wait(GENEROUS_MS / 1_000)
        return f"xoxb-{team_id}"


async def authorized_for(gateway: SlackGateway, team_id: str) -> AuthorizedMessage:
    authorized = await gateway.authorize(team_id, MESSAGE)
    assert isinstance(authorized, AuthorizedMessage)
    return authorized


def in_time() -> PostBy:
    return PostBy(boot_clock_s() + 60)


@asynccontextmanager
async def gateway_with(installations: Installations, url: str) -> AsyncIterator[SlackGateway]:
    gateway = SlackGateway(base_url=url, installations=installations, post_deadline_ms=GENEROUS_MS)
    try:
        yield gateway
    finally:
        await gateway.close()


def test_a_store_that_stands_still_keeps_no_post_of_another_team_waiting() -> None:
    async def scenario() -> tuple[PostAnswer, AuthorizedMessage]:
        # Given
        installations = StandingInstallations()
        async with faulting_server(answering(POSTED)) as server:
            async with gateway_with(installations, server.url) as gateway:
                authorized = await authorized_for(gateway, "T1")

                # When
                reading = asyncio.create_task(authorized_for(gateway, "T2"))
                answer = await gateway.post(TARGET, authorized, in_time())
                installations.may_move.set()
                return answer, await reading

    answer, authorized = asyncio.run(scenario())

    # Then
    assert answer == RECEIPT
    assert authorized.token.secret == "xoxb-T2"


def test_a_store_that_stands_still_is_not_waited_for() -> None:
    async def scenario() -> PostAnswer | AuthorizedMessage:
        # Given
        installations = StandingInstallations()
        async with gateway_with(installations, "http://127.0.0.1:1/api/") as gateway:
            try:
                # When
                return await gateway.authorize("T2", MESSAGE)
            finally:
                installations.may_move.set()

    # Then
    assert asyncio.run(scenario()) == NotNow("installation_slow")


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
def test_a_locked_database_is_slow_and_not_missing(tmp_path: Path) -> None:
    # Given
    url = f"sqlite://{tmp_path / 'installations'}"
    bot = Bot(
        team_id="T1",
        bot_token="xoxb-1",
        bot_id="B1",
        bot_user_id="U1",
        app_id="A1",
        installed_at=1.0,
    )
    installation_store(url, environ=CLIENT).save_bot(bot)
    installations = Installations(url, environ=CLIENT)
    installations.token_for("T1")
    installations.forget("T1")
    hurried = BotTokens(installations, within_s=0.05)
    patient = BotTokens(installations, within_s=60)

    writer = sqlite3.connect(tmp_path / "installations", isolation_level=None)

    # When
    with closing(hurried), closing(patient):
        with closing(writer):
            writer.execute("BEGIN EXCLUSIVE")
            with pytest.raises(InstallationSlow):
                asyncio.run(hurried.read("T1"))
        token = asyncio.run(patient.read("T1"))

    # Then
    assert token.secret == "xoxb-1"


def test_where_an_intent_froze_another_team_it_is_that_team_s_token_that_posts() -> None:
    async def scenario() -> bytes:
        # Given
        installations = StandingInstallations()
        installations.may_move.set()
        async with faulting_server(answering(POSTED)) as server:
            async with gateway_with(installations, server.url) as gateway:
                authorized = await authorized_for(gateway, "T1")

                # When
                await gateway.post({**TARGET, "team": "T2"}, authorized, in_time())
            return server.received

    # Then
    assert b"Bearer xoxb-T2\r\n" in asyncio.run(scenario())


def test_repr_of_what_is_authorized_shows_neither_token_nor_text() -> None:
    # Given
    installations = Installations("env:", environ={"SLACK_BOT_TOKEN": "xoxb-canary"})

    # When
    with closing(BotTokens(installations)) as tokens:
        token = asyncio.run(tokens.read("T1"))

    # Then
    shown = repr(AuthorizedMessage(MESSAGE, token))
    assert "canary" not in shown
    assert "T1" in shown


def test_a_closed_gateway_leaves_no_thread_that_reads() -> None:
    async def scenario() -> None:
        # Given
        installations = StandingInstallations()
        async with gateway_with(installations, "http://127.0.0.1:1/api/") as gateway:
            await authorized_for(gateway, "T1")
        # When it was closed
        wait_until(lambda: not readers(), description="no thread is left")

    def readers() -> list[str]:
        return [each.name for each in enumerate_threads() if each.name.startswith("installations")]

    # Then
    asyncio.run(scenario())
