"""What `postonce doctor` asks Slack: whether each team's token works, and what it may do and read.

No token leaves the gateway; a finding names teams, codes, channels and scopes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never, cast

from actors.commands.history_checks import CHANNELS_AT_MOST, ask_history, judge_history
from actors.slack.auth import AuthRefused, AuthTested
from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations
from actors.slack.unasked_reasons import UNASKED_REASONS
from middleware.admission import Finding
from middleware.store import failing_closed
from projector.channels import configured_channels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actors.settings import Settings
    from middleware.ledger import Ledger
    from projector.channels import ConfiguredChannel

# Enough to see a pattern; Slack counts these calls, and a person reads the lines.
TEAMS_AT_MOST = 50
_AT_A_TIME = 4

_POSTING = "chat:write"
_READING = {
    "channels:history": "public channels",
    "groups:history": "private channels",
    "im:history": "direct messages",
    "mpim:history": "group messages",
}


def check_slack(settings: Settings, ledger: Ledger) -> list[Finding]:
    """Up to two findings a team. Raises LedgerUnavailable, and InstallationsUrlInvalid."""
    with failing_closed():
        owners = cast("dict[str, str]", ledger.store.client.hgetall(ledger.keys.teams()))
    if not owners:
        remedy = "Run postonce configure tenants.yaml"
        return [Finding("slack", "good", "no team is configured yet", remedy)]
    asked = sorted(owners)[:TEAMS_AT_MOST]
    gateway = SlackGateway(
        base_url=settings.slack_url,
        installations=Installations(settings.installations),
        post_deadline_ms=ledger.timing.post_deadline_ms,
    )
    channels = {team_id: _channels(ledger, owners[team_id], team_id) for team_id in asked}
    by_team = asyncio.run(_ask_all(gateway, channels, owners))
    findings = [finding for found in by_team for finding in found]
    if len(asked) < len(owners):
        found = f"the first {len(asked)} of {len(owners)} teams were asked"
        findings.append(Finding("slack", "good", found))
    return findings


def judge(team_id: str, tenant: str, answer: AuthTested | AuthRefused) -> Finding:
    check = f"slack {team_id}"
    match answer:
        case AuthRefused(code=code, sentence=sentence):
            remedy = UNASKED_REASONS.get(code, sentence)
            return Finding(check, "refused", f"{code} (tenant {tenant})", remedy)
        case AuthTested() if answer.team_id != team_id:
            found = f"the token belongs to team {answer.team_id} (tenant {tenant})"
            remedy = "Install the app in this team, or correct its team_id in the tenants file"
            return Finding(check, "refused", found, remedy)
        case AuthTested() if _POSTING not in answer.scopes:
            remedy = f"Add {_POSTING} to the app's bot scopes and reinstall it: nothing is posted"
            return Finding(check, "refused", f"the scope {_POSTING} is missing", remedy)
        case AuthTested():
            return _judge_reading(check, tenant, answer)
        case unreachable:
            assert_never(unreachable)


def _judge_reading(check: str, tenant: str, answer: AuthTested) -> Finding:
    missing = [scope for scope in _READING if scope not in answer.scopes]
    found = f"{answer.team}, bot {answer.bot_id} (tenant {tenant})"
    if not missing:
        return Finding(check, "good", f"{found}, may post and read")
    where = ", ".join(_READING[scope] for scope in missing)
    remedy = (
        f"Add {', '.join(missing)} to the app's bot scopes and reinstall it: without, a POST of "
        f"unknown fate in {where} cannot be looked for and ends unproven"
    )
    return Finding(check, "risky", f"{found}, may post but not read {where}", remedy)


def _channels(ledger: Ledger, tenant: str, team_id: str) -> list[ConfiguredChannel]:
    return [each for each in configured_channels(ledger, tenant) if each.team_id == team_id]


async def _ask_all(
    gateway: SlackGateway,
    channels: Mapping[str, Sequence[ConfiguredChannel]],
    owners: Mapping[str, str],
) -> list[list[Finding]]:
    limit = asyncio.Semaphore(_AT_A_TIME)

    async def ask(team_id: str) -> list[Finding]:
        async with limit:
            tested = await gateway.auth_test(team_id)
            found = judge(team_id, owners[team_id], tested)
            if found.severity == "refused" or not _may_read_some(tested) or not channels[team_id]:
                return [found]
            return [found, await _ask_history(gateway, team_id, channels[team_id])]

    try:
        return await asyncio.gather(*(ask(team_id) for team_id in channels))
    finally:
        await gateway.close()


def _may_read_some(tested: AuthTested | AuthRefused) -> bool:
    """Otherwise each channel would only repeat what is said of the team."""
    return isinstance(tested, AuthTested) and not _READING.keys().isdisjoint(tested.scopes)


async def _ask_history(
    gateway: SlackGateway, team_id: str, channels: Sequence[ConfiguredChannel]
) -> Finding:
    asked, stopped = await ask_history(gateway, channels[:CHANNELS_AT_MOST])
    return judge_history(team_id, asked, configured=len(channels), stopped=stopped)
