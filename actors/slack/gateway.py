"""Posting to Slack has four outcomes: posted, not now, refused, and for all else `FateUnknown`."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from actors.slack.bot_tokens import BotToken, BotTokens
from actors.slack.codes import Scope, SlackCode, classify
from actors.slack.errors import (
    FateUnknown,
    InstallationMissing,
    InstallationSlow,
    InstallationUnreadable,
)
from actors.slack.exchange import TOO_MANY_REQUESTS, Answered, NothingLeft, exchange
from actors.slack.message import AuthorizedMessage
from actors.slack.session import SlackSession, Wire
from middleware.fates import NotNow, PostAnswer, Posted, Refused
from middleware.post_by import PostBy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.slack.installations import Installations
    from actors.slack.message import SlackMessage

_LOG = logging.getLogger(__name__)

_OK = 200

# What concerns a whole workspace waits for a person; each delivery asks again after this.
_WORKSPACE_DELAY_MS = 60_000

# Whole seconds up to an hour. Slack documents seconds; a date, or a wait that would outlast most
# deadlines, is not believed and the ledger backs off by itself.
_RETRY_AFTER_S = re.compile(r"[1-9][0-9]{0,3}")
_RETRY_AFTER_MAX_S = 3600

# What `missing_scope` names.
_SCOPES = re.compile(r"[a-z0-9_.:,-]{1,200}")


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


class SlackGateway:
    """Used from one event loop at a time; `close` it on that loop."""

    def __init__(
        self, *, base_url: str, installations: Installations, post_deadline_ms: int
    ) -> None:
        self._tokens = BotTokens(installations)
        self._deadline_s = post_deadline_ms / 1000
        self._session = SlackSession(base_url=base_url, post_deadline_ms=post_deadline_ms)

    async def authorize(self, team_id: str, message: SlackMessage) -> AuthorizedMessage | NotNow:
        """With the token of the team's bot. Before the intent: it may have to be read."""
        try:
            return AuthorizedMessage(message, await self._tokens.read(team_id))
        except (InstallationMissing, InstallationUnreadable) as missing:
            return _workspace_waits(team_id, missing.code, str(missing))
        except InstallationSlow as slow:
            _LOG.error("slack.workspace_waits team=%s code=%s: %s", team_id, slow.code, slow)
            return NotNow(slow.code)

    async def post(
        self, target: Mapping[str, str], authorized: AuthorizedMessage, post_by: PostBy
    ) -> PostAnswer:
        """One POST at most. `target`: team, channel and, for a reply, thread_ts.

        Raises FateUnknown if the message may or may not have been posted.
        """
        team_id, token = target["team"], authorized.token
        if token.team_id != team_id:
            # An earlier intent froze another workspace than today's configuration names.
            again = await self.authorize(team_id, authorized.message)
            if isinstance(again, NotNow):
                return again
            token = again.token
        heard = await self._exchange(
            "chat.postMessage", token, authorized.message.arguments(target), Wire(post_by)
        )
        if isinstance(heard, NothingLeft):
            return NotNow(heard.reason)
        return self._read(team_id, heard)

    async def auth_test(self, team_id: str) -> AuthTested | AuthRefused:
        """Whether the team's token works; a failure to find out is an AuthRefused as well."""
        try:
            token = await self._tokens.read(team_id)
            heard = await self._exchange("auth.test", token, {}, Wire(PostBy(math.inf)))
        except (InstallationMissing, InstallationUnreadable, InstallationSlow) as missing:
            return AuthRefused(missing.code, str(missing))
        except FateUnknown as unknown:
            return AuthRefused(unknown.reason, "Slack did not answer as Slack does.")
        if isinstance(heard, NothingLeft):
            return AuthRefused(heard.reason, "Slack could not be reached.")
        return _read_auth(heard)

    async def close(self) -> None:
        self._tokens.close()
        await self._session.close()

    async def _exchange(
        self, method: str, token: BotToken, arguments: dict[str, object], wire: Wire
    ) -> Answered | NothingLeft:
        return await exchange(
            self._session.client(),
            method,
            token=token.secret,
            arguments=arguments,
            wire=wire,
            # A body that is still being written at `post_by` is cut off there.
            within_s=min(self._deadline_s, wire.post_by.remaining_s()),
        )

    def _read(self, team_id: str, heard: Answered) -> PostAnswer:
        if heard.status == TOO_MANY_REQUESTS:
            return NotNow("rate_limited", _retry_after_ms(heard))
        if heard.status != _OK:
            raise FateUnknown(f"status_{heard.status}")
        match heard.data:
            case {"ok": True, "channel": str(channel), "ts": str(ts)} if channel and ts:
                return Posted({"channel": channel, "ts": ts})
            case {"ok": False, "error": str(code)}:
                return self._refusal(team_id, classify(code), heard)
            case _:
                raise FateUnknown("answer_not_understood")

    def _refusal(self, team_id: str, meaning: SlackCode, heard: Answered) -> PostAnswer:
        match meaning.scope:
            case Scope.MESSAGE | Scope.CHANNEL:
                return Refused(meaning.code, meaning.sentence)
            case Scope.WORKSPACE:
                # The token may have been refreshed by another process meanwhile.
                self._tokens.forget(team_id)
                return _workspace_waits(team_id, meaning.code, _sentence(meaning, heard))
            case Scope.NOT_NOW:
                return NotNow("rate_limited", _retry_after_ms(heard))
            case Scope.UNKNOWN:
                raise FateUnknown(meaning.code)
            case unreachable:
                assert_never(unreachable)


def _workspace_waits(team_id: str, code: str, sentence: str) -> NotNow:
    _LOG.error("slack.workspace_refused team=%s code=%s: %s", team_id, code, sentence)
    return NotNow(code, _WORKSPACE_DELAY_MS)


def _read_auth(heard: Answered) -> AuthTested | AuthRefused:
    match heard.data:
        case {"ok": True, "team_id": str(team_id), "team": str(team), "bot_id": str(bot_id)}:
            granted = heard.headers.get("x-oauth-scopes", "")
            scopes = tuple(scope.strip() for scope in granted.split(",") if scope.strip())
            return AuthTested(team_id, team, bot_id, scopes)
        case {"ok": False, "error": str(code)} if heard.status == _OK:
            meaning = classify(code)
            return AuthRefused(meaning.code, _sentence(meaning, heard))
        case _:
            return AuthRefused(f"status_{heard.status}", "Slack did not answer as Slack does.")


def _sentence(meaning: SlackCode, heard: Answered) -> str:
    match heard.data:
        case {"needed": str(needed)} if _SCOPES.fullmatch(needed):
            return f"{meaning.sentence} needed={needed}"
        case _:
            return meaning.sentence


def _retry_after_ms(heard: Answered) -> int | None:
    given = heard.headers.get("Retry-After", "").strip()
    if not _RETRY_AFTER_S.fullmatch(given) or int(given) > _RETRY_AFTER_MAX_S:
        return None
    return int(given) * 1000
