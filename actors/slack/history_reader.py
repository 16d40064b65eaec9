"""`HistoryReader`: reads a channel or thread to its end, and keeps what it has read when it cannot.

A read that a rate limit interrupts, or that nobody waits for any more, is gone on with the next
time. Apps outside Slack's Marketplace get 15 messages a minute: begun anew it would never end.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.slack.history_page import read_page
from actors.slack.history_read import WIDENED_MS, HistoryRead
from middleware.fates import Absent, CannotTell, Found, NotNow
from middleware.timing import HOUR_MS, SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actors.slack.kept_reads import KeptReads
    from actors.slack.reading_calls import ReadingCalls, Said
    from actors.slack.sought import Look, Place

_LOG = logging.getLogger(__name__)

# Slack takes up to 999 and recommends this: a larger page is likelier to be cut off by a timeout.
_PAGE = 200
# Twice the longest wait between looks, which a Retry-After may ask for: nobody comes back to a read
# that was left for longer.
_LEFT_BEHIND_S = 2 * HOUR_MS / SECOND_MS


@dataclass(frozen=True, slots=True)
class Ended:
    """How far a read came, and what stopped it before its end, if something did."""

    read: HistoryRead
    stopped: CannotTell | NotNow | None

    def answer(self, look: Look) -> Found | Absent | CannotTell | NotNow | None:
        """None if another read is needed."""
        return self.read.answer(look) or self.stopped


class HistoryReader:
    """At most one read of a place at a time; `clock_s` only has to go on evenly."""

    def __init__(
        self, calls: ReadingCalls, kept: KeptReads, *, clock_s: Callable[[], float]
    ) -> None:
        self._calls = calls
        self._kept = kept
        self._clock_s = clock_s
        # How much Slack's clock was behind the ledger server's when last seen.
        self._behind_ms = 0

    def known(self, look: Look) -> Found | Absent | CannotTell | NotNow | None:
        """What can be said without a call; None if one is needed and may be made."""
        place = look.sought.place
        kept = self._kept.get(place)
        answer = None if kept is None else kept.answer(look)
        return answer or self._calls.put_off(place.method, place.team_id)

    async def read(self, place: Place, looks: Sequence[Look]) -> Ended:
        """For these looks; more may come meanwhile and some go, but never all of them."""
        left = self._left_behind(place)
        read = left or self._begin(place, looks)
        while not read.is_complete:
            stopped = await self._go_on(read, looks)
            if isinstance(stopped, CannotTell) and not stopped.final and read is left:
                # Where it was left cannot be gone on from, and could not by the next look either.
                # What is final is so from the begin, too; then what the left read saw still counts.
                self._kept.forget(place)
                read = self._begin(place, looks)
                continue
            if stopped is not None:
                return Ended(read, stopped)
            if not self._kept.keep(read):
                return Ended(read, CannotTell("history_too_long", final=True))
        if read.doubt is not None:
            # Another look may find what this one could not make out.
            _LOG.warning("slack.history_proves_nothing place=%s why=%s", place, read.doubt.reason)
            self._kept.forget(place)
        return Ended(read, None)

    def _left_behind(self, place: Place) -> HistoryRead | None:
        kept = self._kept.get(place)
        if kept is None or kept.is_complete:
            return None
        return kept if self._clock_s() - kept.gone_on_s < _LEFT_BEHIND_S else None

    def _begin(self, place: Place, looks: Sequence[Look]) -> HistoryRead:
        earliest_ms = min(each.sought.intent_at_ms for each in looks)
        now_s = self._clock_s()
        return HistoryRead(
            place=place,
            thread_ts=place.thread_ts,
            oldest_ms=max(0, earliest_ms - WIDENED_MS - self._behind_ms),
            # All of them have come before the read begins.
            begun_ms=max(each.sought.now_ms for each in looks),
            begun_s=now_s,
            gone_on_s=now_s,
        )

    async def _go_on(self, read: HistoryRead, looks: Sequence[Look]) -> CannotTell | NotNow | None:
        """None once the read has its next page."""
        place = read.place
        token = await self._calls.token(place.team_id)
        if isinstance(token, CannotTell | NotNow):
            return token
        bot_id = await self._calls.bot_id(token)
        if isinstance(bot_id, CannotTell | NotNow):
            return bot_id
        said = await self._calls.ask(place.method, token, _arguments(read))
        if isinstance(said, CannotTell | NotNow):
            return said
        page = read_page(said.data, thread_ts=read.thread_ts)
        if page is None or page.next_cursor == read.cursor != "":
            # It was asked and told: if it never tells better, a person must know in the end.
            return CannotTell("answer_not_understood", final=False)
        read.take(page, bot_id=bot_id, behind_ms=self._measure(said, looks), now_s=self._clock_s())
        return None

    def _measure(self, said: Said, looks: Sequence[Look]) -> int | None:
        """How far Slack's clock is behind; None if it did not tell the time."""
        if said.at_ms is None:
            return None
        now_s = self._clock_s()
        server_ms = max(each.server_ms(now_s) for each in looks)
        self._behind_ms = max(0, server_ms - said.at_ms)
        return self._behind_ms


def _arguments(read: HistoryRead) -> dict[str, str]:
    arguments = {
        "channel": read.place.channel,
        "oldest": f"{read.oldest_ms // SECOND_MS}.{read.oldest_ms % SECOND_MS:03d}000",
        "include_all_metadata": "1",
        "limit": str(_PAGE),
    }
    if read.thread_ts is not None:
        arguments["ts"] = read.thread_ts
    if read.cursor:
        arguments["cursor"] = read.cursor
    return arguments
