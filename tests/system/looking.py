"""How the gateway's tests look for a message, on a clock of their own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slack_sdk import WebClient

from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations
from actors.slack.sought import Place, Sought
from tests.system.slack_faults import GENEROUS_MS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from middleware.fates import LookAnswer
    from sandbox.slack import SlackSandbox

TOKEN = "xoxb-T1"
MARKER = "m1"
CHANNEL = Place("T1", "C1")
# So much later than the intent a look is made, as by default.
SETTLED_MS = 70_000
# Of each call; a read waits for a twentieth of it.
_DEADLINE_MS = 4_000
HISTORY, REPLIES = "conversations.history", "conversations.replies"


@dataclass
class Clock:
    """The ledger's, and Slack's, which is `slack_ahead_ms` ahead."""

    now_ms: int = 1_700_000_000_000
    slack_ahead_ms: int = 0

    def slack_s(self) -> float:
        return (self.now_ms + self.slack_ahead_ms) / 1_000

    def process_s(self) -> float:
        return self.now_ms / 1_000


def sought(clock: Clock, place: Place = CHANNEL, **changes: Any) -> Sought:  # noqa: ANN401 - its fields
    """A message intended a settle delay ago, and looked for now."""
    intent_at_ms = clock.now_ms - SETTLED_MS
    times = {"intent_at_ms": intent_at_ms, "reconcile_at_ms": clock.now_ms, "now_ms": clock.now_ms}
    return Sought(**{"place": place, "marker": MARKER, **times, **changes})


def post(
    slack: SlackSandbox,
    marker: str | None = MARKER,
    *,
    place: Place = CHANNEL,
    token: str = TOKEN,
    **others: Any,  # noqa: ANN401 - arguments of chat.postMessage
) -> str:
    """The message's ts."""
    metadata = {"event_type": "postonce", "event_payload": {"delivery": marker}}
    answer = WebClient(token=token, base_url=slack.url).chat_postMessage(
        channel=place.channel,
        text="hi",
        thread_ts=place.thread_ts,
        metadata=None if marker is None else metadata,
        **others,
    )
    return str(answer["ts"])


@asynccontextmanager
async def looking_at(
    url: str,
    clock: Clock,
    *,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[SlackGateway]:
    tokens = {"SLACK_BOT_TOKEN": TOKEN} if environ is None else environ
    gateway = SlackGateway(
        base_url=url,
        installations=Installations("env:", environ=tokens),
        post_deadline_ms=_DEADLINE_MS,
        clock_s=clock.process_s,
    )
    try:
        yield gateway
    finally:
        await gateway.close()


def look_for(
    slack: SlackSandbox,
    clock: Clock,
    *looks: Iterable[Sought],
    environ: Mapping[str, str] | None = None,
) -> list[LookAnswer]:
    """Each group of looks together, one group after the other, by one gateway."""

    async def scenario() -> list[LookAnswer]:
        answers: list[LookAnswer] = []
        async with looking_at(slack.url, clock, environ=environ) as gateway:
            for group in looks:
                made = (gateway.look(each, within_s=GENEROUS_MS / 1_000) for each in group)
                answers += await asyncio.gather(*made)
        return answers

    return asyncio.run(scenario())


def calls(slack: SlackSandbox) -> dict[str, int]:
    """How often Slack was asked, by method; what posting took is left out."""
    by_method: dict[str, int] = slack.counters["by_method"]
    return {name: count for name, count in by_method.items() if name != "chat.postMessage"}
