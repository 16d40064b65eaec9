"""Whether the fate of a POST could be told, channel by channel: what a look in its history needs.

The bot can post to public channels that it may not read, which shows only when a fate is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.slack.codes import classify_reading
from actors.slack.look_reasons import LOOK_REASONS
from middleware.admission import Finding
from middleware.fates import CannotTell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.slack.gateway import SlackGateway
    from projector.channels import ConfiguredChannel

# Of each team: enough to see a pattern, and few of the fifty calls a minute that looks need too.
CHANNELS_AT_MOST = 10

_PERSON = (
    "A person's id can be posted to, but not read: configure the id of the conversation, which the "
    "receipt of a message to that person tells (D…)."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What Slack said of one channel: None that it can be read."""

    channel: ConfiguredChannel
    cannot: CannotTell | None


async def ask_history(
    gateway: SlackGateway, channels: Sequence[ConfiguredChannel]
) -> tuple[list[Asked], str | None]:
    """Also the reason why the rest was not asked: a rate limit is respected at once."""
    asked: list[Asked] = []
    for channel in channels:
        answer = await gateway.cannot_read(channel.team_id, channel.channel_id)
        if answer is not None and not isinstance(answer, CannotTell):
            return asked, answer.reason
        asked.append(Asked(channel, answer))
    return asked, None


def judge_history(
    team_id: str, asked: Sequence[Asked], *, configured: int, stopped: str | None
) -> Finding:
    """Of `configured` channels these were asked; `stopped` says why no more."""
    check = f"history {team_id}"
    unreadable = {each.channel: each.cannot.reason for each in asked if each.cannot is not None}
    found = f"{len(asked) - len(unreadable)} of {configured} channels can be read"
    if len(asked) < configured:
        why = f", {stopped}" if stopped else ""
        found += f", {configured - len(asked)} were not asked{why}"
    remedies: list[str] = []
    if unreadable:
        found += f", not {', '.join(f'{each.code}: {code}' for each, code in unreadable.items())}"
        remedies += dict.fromkeys(_sentence(channel, code) for channel, code in unreadable.items())
        remedies.append("Until then a POST of unknown fate there ends unproven.")
    if stopped is not None:
        # Nothing is known of the rest, which is no reason to call it good.
        remedies.append("Run postonce doctor again later: the rest may or may not be readable.")
    return Finding(check, "risky" if remedies else "good", found, " ".join(remedies))


def _sentence(channel: ConfiguredChannel, code: str) -> str:
    if channel.channel_id.startswith("U"):
        return _PERSON
    return LOOK_REASONS.get(code) or classify_reading(code).sentence
