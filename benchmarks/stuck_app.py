"""`dramatiq benchmarks.stuck_app`: a worker that claims, and gets no further than its bot's token.

So what it holds is claimed and stays without an intent for as long as it lives.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from actors.app import broker
from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations
from actors.slack_connection import SlackConnection

if TYPE_CHECKING:
    from typing import NoReturn

    from actors.slack.message import SlackMessage


class _StuckGateway(SlackGateway):
    async def authorize(self, team_id: str, message: SlackMessage) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError


for _each in broker.middleware:
    if isinstance(_each, SlackConnection):
        _each.gateway = _StuckGateway(
            base_url="http://127.0.0.1/", installations=Installations("env:"), post_deadline_ms=1
        )
