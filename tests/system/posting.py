"""How the gateway's tests post, and what they get."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from actors.slack.errors import FateUnknown
from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations
from actors.slack.message import SlackMessage
from middleware.fates import NotNow
from middleware.post_by import PostBy, boot_clock_s
from tests.system.slack_faults import GENEROUS_MS, TEXT, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from middleware.fates import PostAnswer

TARGET = {"team": "T1", "channel": "C1"}
MESSAGE = SlackMessage(text=TEXT, blocks=None, marker="m1")


@asynccontextmanager
async def gateway_to(
    url: str, *, deadline_ms: int = GENEROUS_MS, environ: Mapping[str, str] | None = None
) -> AsyncIterator[SlackGateway]:
    tokens = {"SLACK_BOT_TOKEN": TOKEN} if environ is None else environ
    installations = Installations("env:", environ=tokens)
    gateway = SlackGateway(base_url=url, installations=installations, post_deadline_ms=deadline_ms)
    try:
        yield gateway
    finally:
        await gateway.close()


async def fate_of(
    gateway: SlackGateway, *, message: SlackMessage = MESSAGE, post_by: PostBy | None = None
) -> PostAnswer | FateUnknown:
    """Of one POST, by default in time, whatever the gateway says of it."""
    authorized = await gateway.authorize(TARGET["team"], message)
    if isinstance(authorized, NotNow):
        return authorized
    try:
        return await gateway.post(TARGET, authorized, post_by or PostBy(boot_clock_s() + 60))
    except FateUnknown as unknown:
        return unknown
