"""What `postonce doctor` asks Slack: whether each team's token works, and what it may do.

No token leaves the gateway; a finding names teams, codes and scopes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never, cast

from actors.slack.gateway import AuthRefused, AuthTested, SlackGateway
from actors.slack.installations import Installations
from middleware.admission import Finding
from middleware.store import failing_closed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.settings import Settings
    from middleware.ledger import Ledger

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
    """One finding a team. Raises LedgerUnavailable, and InstallationsUrlInvalid."""
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
    answers = asyncio.run(_ask_all(gateway, asked))
    findings = [
        judge(team_id, owners[team_id], answer)
        for team_id, answer in zip(asked, answers, strict=True)
    ]
    if len(asked) < len(owners):
        found = f"the first {len(asked)} of {len(owners)} teams were asked"
        findings.append(Finding("slack", "good", found))
    return findings


def judge(team_id: str, tenant: str, answer: AuthTested | AuthRefused) -> Finding:
    check = f"slack {team_id}"
    match answer:
        case AuthRefused(code=code, sentence=sentence):
            return Finding(check, "refused", f"{code} (tenant {tenant})", sentence)
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


async def _ask_all(
    gateway: SlackGateway, team_ids: Sequence[str]
) -> list[AuthTested | AuthRefused]:
    limit = asyncio.Semaphore(_AT_A_TIME)

    async def ask(team_id: str) -> AuthTested | AuthRefused:
        async with limit:
            return await gateway.auth_test(team_id)

    try:
        return await asyncio.gather(*(ask(team_id) for team_id in team_ids))
    finally:
        await gateway.close()
