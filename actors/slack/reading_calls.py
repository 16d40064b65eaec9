"""Calls that only read: each says something, or what follows for the look that needs it.

No error proves absence. After a 429 nobody in this process calls that method for that team until
the time that Slack asked for is over.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, assert_never

from actors.slack.codes import READING_CODES, Scope, SlackCode, classify_reading
from actors.slack.errors import (
    FateUnknown,
    InstallationMissing,
    InstallationSlow,
    InstallationUnreadable,
)
from actors.slack.exchange import OK, TOO_MANY_REQUESTS, Answered, NothingLeft
from middleware.fates import CannotTell, NotNow
from middleware.timing import MINUTE_MS, SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from actors.slack.bot_tokens import BotToken, BotTokens

    Send = Callable[[str, BotToken, dict[str, str]], Awaitable[Answered | NothingLeft]]

_LOG = logging.getLogger(__name__)

# Slack counts by the minute; without a Retry-After half of one is as good a guess as any.
_UNTOLD_MS = 30 * SECOND_MS
# What concerns a whole workspace waits for a person; each look asks again after this.
_WORKSPACE_DELAY_MS = MINUTE_MS
# Only another installation would bring these rights, and it may never come.
_FINAL_FOR_WORKSPACE = frozenset({"missing_scope", "not_allowed_token_type"})
# Bots remembered at a time; more only costs asking again.
_MAX_BOTS = 1024


@dataclass(frozen=True, slots=True)
class Said:
    """`at_ms` is the time by Slack's clock, to the second; None if it was not told."""

    data: Mapping[str, object] = field(repr=False)
    at_ms: int | None


class ReadingCalls:
    """`send` makes one call and raises FateUnknown; `clock_s` only has to go on evenly."""

    def __init__(self, *, tokens: BotTokens, send: Send, clock_s: Callable[[], float]) -> None:
        self._tokens = tokens
        self._send = send
        self._clock_s = clock_s
        self._limited_until_s: dict[tuple[str, str], float] = {}
        self._bots: dict[BotToken, str] = {}

    async def token(self, team_id: str) -> BotToken | CannotTell | NotNow:
        try:
            return await self._tokens.read(team_id)
        except (InstallationMissing, InstallationUnreadable) as missing:
            _LOG.error("slack.workspace_refused team=%s code=%s", team_id, missing.code)
            # So that it ends some day, if the installation does not come back.
            return CannotTell(missing.code, final=False, delay_ms=_WORKSPACE_DELAY_MS)
        except InstallationSlow as slow:
            return NotNow(slow.code)

    async def bot_id(self, token: BotToken) -> str | CannotTell | NotNow:
        """Whose messages are this token's. Slack is asked: an installation may tell an older bot,
        and what that one posted would be taken for absent.
        """
        known = self._bots.get(token)
        if known is not None:
            return known
        said = await self.ask("auth.test", token, {})
        match said:
            case Said(data={"bot_id": str(bot_id)}):
                while len(self._bots) >= _MAX_BOTS:
                    del self._bots[next(iter(self._bots))]
                self._bots[token] = bot_id
                return bot_id
            case Said():
                return CannotTell("not_a_bot", final=False, delay_ms=_WORKSPACE_DELAY_MS)
            case CannotTell() | NotNow():
                return said
            case unreachable:
                assert_never(unreachable)

    def put_off(self, method: str, team_id: str) -> NotNow | None:
        """None when the method may be called for the team."""
        until_s = self._limited_until_s.get((method, team_id))
        if until_s is None:
            return None
        remaining_ms = round((until_s - self._clock_s()) * SECOND_MS)
        if remaining_ms <= 0:
            del self._limited_until_s[method, team_id]
            return None
        return NotNow("rate_limited", remaining_ms)

    async def ask(
        self, method: str, token: BotToken, arguments: dict[str, str]
    ) -> Said | CannotTell | NotNow:
        put_off = self.put_off(method, token.team_id)
        if put_off is not None:
            return put_off
        try:
            heard = await self._send(method, token, arguments)
        except FateUnknown as unknown:
            return NotNow(unknown.reason)
        if isinstance(heard, NothingLeft):
            return NotNow(heard.reason)
        return self._understand(method, token.team_id, heard)

    def _understand(self, method: str, team_id: str, heard: Answered) -> Said | CannotTell | NotNow:
        if heard.status == TOO_MANY_REQUESTS:
            return self._limited(method, team_id, heard)
        if heard.status != OK:
            return NotNow(f"status_{heard.status}")
        data = heard.data if isinstance(heard.data, dict) else {}
        match data:
            case {"ok": True}:
                return Said(data, _date_ms(heard))
            case {"ok": False, "error": str(code)}:
                return self._refusal(method, team_id, classify_reading(code), heard)
            case _:
                return NotNow("answer_not_understood")

    def _refusal(
        self, method: str, team_id: str, meaning: SlackCode, heard: Answered
    ) -> CannotTell | NotNow:
        match meaning.scope:
            case Scope.NOT_NOW:
                return self._limited(method, team_id, heard)
            case Scope.UNKNOWN if meaning.code in READING_CODES:
                return NotNow(meaning.code)
            case Scope.CHANNEL:
                answer = CannotTell(meaning.code, final=True)
            case Scope.WORKSPACE:
                # The token may have been refreshed by another process meanwhile.
                self._tokens.forget(team_id)
                final = meaning.code in _FINAL_FOR_WORKSPACE
                answer = CannotTell(meaning.code, final=final, delay_ms=_WORKSPACE_DELAY_MS)
            case Scope.MESSAGE | Scope.UNKNOWN:
                # Slack means it, for whatever reason, so that it ends if it stays so.
                answer = CannotTell(meaning.code, final=False)
            case unreachable:
                assert_never(unreachable)
        _LOG.error(
            "slack.reading_refused team=%s method=%s code=%s: %s",
            *(team_id, method, meaning.code, heard.sentence(meaning)),
        )
        return answer

    def _limited(self, method: str, team_id: str, heard: Answered) -> NotNow:
        delay_ms = heard.retry_after_ms or _UNTOLD_MS
        self._limited_until_s[method, team_id] = self._clock_s() + delay_ms / SECOND_MS
        return NotNow("rate_limited", delay_ms)


def _date_ms(heard: Answered) -> int | None:
    with suppress(ValueError):
        return int(parsedate_to_datetime(heard.headers.get("Date", "")).timestamp() * SECOND_MS)
    return None
