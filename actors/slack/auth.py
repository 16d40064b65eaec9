"""What auth.test tells of a token: whose it is, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.slack.codes import classify_reading
from actors.slack.exchange import OK

if TYPE_CHECKING:
    from actors.slack.exchange import Answered

NOT_AS_SLACK = (
    "What answered is not understood as Slack: check POSTONCE_SLACK_URL, and any proxy before it."
)


@dataclass(frozen=True, slots=True)
class AuthTested:
    """The token works, for this team and bot, with these scopes."""

    team_id: str
    team: str
    bot_id: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthRefused:
    """The token does not work, or it could not be asked; `sentence` tells a person what to do."""

    code: str
    sentence: str


def read_auth(heard: Answered) -> AuthTested | AuthRefused:
    match heard.data:
        case {"ok": True, "team_id": str(team_id), "team": str(team), "bot_id": str(bot_id)}:
            granted = heard.headers.get("x-oauth-scopes", "")
            scopes = tuple(scope.strip() for scope in granted.split(",") if scope.strip())
            return AuthTested(team_id, team, bot_id, scopes)
        case {"ok": False, "error": str(code)} if heard.status == OK:
            meaning = classify_reading(code)
            return AuthRefused(meaning.code, heard.sentence(meaning))
        case _:
            return AuthRefused(f"status_{heard.status}", NOT_AS_SLACK)
