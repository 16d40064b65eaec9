"""Posting to Slack has four outcomes: posted, not now, refused, and for all else `FateUnknown`.

What that leaves open is looked for in Slack's history.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, assert_never

from actors.slack.auth import NOT_AS_SLACK, AuthRefused, AuthTested, read_auth
from actors.slack.bot_tokens import BotToken, BotTokens
from actors.slack.codes import Scope, SlackCode, classify
from actors.slack.errors import (
    FateUnknown,
    InstallationMissing,
    InstallationSlow,
    InstallationUnreadable,
)
from actors.slack.exchange import OK, TOO_MANY_REQUESTS, Answered, NothingLeft, exchange
from actors.slack.history import History
from actors.slack.history_page import read_page
from actors.slack.history_reader import HistoryReader
from actors.slack.kept_reads import KeptReads
from actors.slack.message import AuthorizedMessage
from actors.slack.reading_calls import ReadingCalls
from actors.slack.session import SlackSession
from actors.slack.wire import Wire
from middleware.fates import CannotTell, LookAnswer, NotNow, PostAnswer, Posted, Refused
from middleware.post_by import PostBy, boot_clock_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actors.slack.installations import Installations
    from actors.slack.message import SlackMessage
    from actors.slack.sought import Sought

_LOG = logging.getLogger(__name__)

# What concerns a whole workspace waits for a person; each delivery asks again after this.
_WORKSPACE_DELAY_MS = 60_000

# Of the deadline of a POST, for others to join a read: those that were in flight when their worker
# died become due within as long as they were apart.
_GATHER_SHARE = 0.05


class SlackGateway:
    """Used from one event loop at a time; `close` it on that loop.

    `clock_s` only has to go on evenly; by it a rate limit's time passes.
    """

    def __init__(
        self,
        *,
        base_url: str,
        installations: Installations,
        post_deadline_ms: int,
        clock_s: Callable[[], float] = boot_clock_s,
    ) -> None:
        self._tokens = BotTokens(installations)
        self._deadline_s = post_deadline_ms / 1000
        self._session = SlackSession(base_url=base_url, post_deadline_ms=post_deadline_ms)
        self._calls = ReadingCalls(tokens=self._tokens, send=self._send_form, clock_s=clock_s)
        self._history = History(
            HistoryReader(self._calls, KeptReads(), clock_s=clock_s),
            gather_s=self._deadline_s * _GATHER_SHARE,
            clock_s=clock_s,
        )

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
        arguments = authorized.message.arguments(target)
        heard = await exchange(
            self._session.client(),
            "chat.postMessage",
            token=token.secret,
            json=arguments,
            wire=Wire(post_by),
            # What the kernel still holds of it at `post_by` is thrown away there.
            within_s=min(self._deadline_s, post_by.remaining_s()),
        )
        if isinstance(heard, NothingLeft):
            return NotNow(heard.reason)
        return self._read(team_id, heard)

    async def look(self, sought: Sought, *, within_s: float) -> LookAnswer:
        """Whether the message is in Slack; an error while reading never proves that it is not."""
        return await self._history.look(sought, within_s=within_s)

    async def auth_test(self, team_id: str) -> AuthTested | AuthRefused:
        """Whether the team's token works; a failure to find out is an AuthRefused as well."""
        try:
            token = await self._tokens.read(team_id)
            heard = await self._send_form("auth.test", token, {})
        except (InstallationMissing, InstallationUnreadable, InstallationSlow) as missing:
            return AuthRefused(missing.code, str(missing))
        except FateUnknown as unknown:
            return AuthRefused(unknown.reason, NOT_AS_SLACK)
        if isinstance(heard, NothingLeft):
            return AuthRefused(heard.reason, "Slack could not be reached.")
        return read_auth(heard)

    async def cannot_read(self, team_id: str, channel_id: str) -> CannotTell | NotNow | None:
        """Why a look could not read the channel, or prove nothing by it; None if neither holds."""
        token = await self._calls.token(team_id)
        if isinstance(token, CannotTell | NotNow):
            return token
        arguments = {"channel": channel_id, "limit": "1"}
        said = await self._calls.ask("conversations.history", token, arguments)
        if isinstance(said, CannotTell | NotNow):
            return said
        page = read_page(said.data, thread_ts=None)
        if page is None:
            return CannotTell("answer_not_understood", final=False)
        return CannotTell("window_cut", final=True) if page.is_cut else None

    async def close(self) -> None:
        await self._history.close()
        self._tokens.close()
        await self._session.close()

    async def _send_form(
        self, method: str, token: BotToken, arguments: dict[str, str]
    ) -> Answered | NothingLeft:
        """A call that only reads: it may be made at any time, and again."""
        return await exchange(
            self._session.client(),
            method,
            token=token.secret,
            form=arguments,
            wire=Wire(PostBy(math.inf)),
            within_s=self._deadline_s,
        )

    def _read(self, team_id: str, heard: Answered) -> PostAnswer:
        if heard.status == TOO_MANY_REQUESTS:
            return NotNow("rate_limited", heard.retry_after_ms)
        if heard.status != OK:
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
                return _workspace_waits(team_id, meaning.code, heard.sentence(meaning))
            case Scope.NOT_NOW:
                return NotNow("rate_limited", heard.retry_after_ms)
            case Scope.UNKNOWN:
                raise FateUnknown(meaning.code)
            case unreachable:
                assert_never(unreachable)


def _workspace_waits(team_id: str, code: str, sentence: str) -> NotNow:
    _LOG.error("slack.workspace_refused team=%s code=%s: %s", team_id, code, sentence)
    return NotNow(code, _WORKSPACE_DELAY_MS)
