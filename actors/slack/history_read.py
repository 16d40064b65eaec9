"""What one read of a channel or thread proves: presence at once, absence only as a whole.

It proves the absence of what could no longer arrive when it began, and whose time its window
reaches back to. Anything odd in it proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from middleware.fates import Absent, CannotTell, Found
from middleware.timing import MINUTE_MS

if TYPE_CHECKING:
    from actors.slack.history_page import HistoryPage
    from actors.slack.sought import Look, Place

# Slack dates a message by its own clock. So long before the intent, and by the measured difference
# more, the window opens; in a busy channel a few hundred messages more are read for it.
WIDENED_MS = 5 * MINUTE_MS
# What must be left of that once the difference is measured; a window that turns out narrower is
# read again.
NARROWEST_MS = MINUTE_MS
assert WIDENED_MS > NARROWEST_MS

# Where Slack puts a reply to a reply is not documented, and reports differ: into the thread of
# both, or beside it into the channel. So it may be where no read of a thread ever sees it.
_OF_A_REPLY = CannotTell("thread_of_a_reply", final=True)


@dataclass(slots=True, kw_only=True)
class HistoryRead:
    """`begun_ms` is a time of the ledger's server before which it had not begun, `begun_s` when it
    did by the process's clock; `oldest_ms` is by Slack's clock, which was `behind_ms` behind the
    server's. `thread_ts` is the place's, or its parent's once that turns out to be a reply's.
    """

    place: Place
    thread_ts: str | None
    oldest_ms: int
    begun_ms: int
    begun_s: float
    gone_on_s: float
    cursor: str = ""
    is_complete: bool = False
    behind_ms: int | None = None
    flaw: CannotTell | None = None
    # Sets, for a message is shown in the thread of a reply and again in that of its parent.
    own: dict[str, set[str]] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)

    @property
    def weight(self) -> int:
        """What it takes to keep it."""
        return 1 + len(self.foreign) + sum(map(len, self.own.values()))

    @property
    def doubt(self) -> CannotTell | None:
        """Why it can prove no absence."""
        if self.flaw is None and self.behind_ms is None:
            return CannotTell("slack_clock_unknown", final=False)
        return self.flaw

    def take(self, page: HistoryPage, *, bot_id: str, behind_ms: int | None, now_s: float) -> None:
        """The next page, read as this bot at `now_s` of the process's clock."""
        parent_ts = self._parent_of_a_reply(page)
        if parent_ts is not None:
            self.flaw = _OF_A_REPLY
        elif not self.cursor and page.parent_ts != self.thread_ts and self.flaw is None:
            self.flaw = CannotTell("thread_not_clear", final=False)
        if page.is_cut:
            self.flaw = CannotTell("window_cut", final=True)
        for marked in page.marked:
            if marked.marker is None:
                self.flaw = CannotTell("metadata_withheld", final=False)
            elif marked.bot_id == bot_id:
                self.own.setdefault(marked.marker, set()).add(marked.ts)
            else:
                self.foreign.add(marked.marker)
        if behind_ms is not None:
            self.behind_ms = max(behind_ms, self.behind_ms or 0)
        if parent_ts is None:
            self.cursor = page.next_cursor
            self.is_complete = not page.next_cursor
        else:
            # What this page shows counts all the same; the thread of both is read from its begin.
            self.thread_ts, self.cursor = parent_ts, ""
        self.gone_on_s = now_s

    def answer(self, look: Look) -> Found | Absent | CannotTell | None:
        """None if this read says nothing about it."""
        sought = look.sought
        stamps = sorted(self.own.get(sought.marker, ()), key=Decimal)
        if stamps:
            first, *others = ({"channel": self.place.channel, "ts": ts} for ts in stamps)
            return Found(first, tuple(others))
        # A server that took over since may have another time: by its clock it must hold as well.
        begun_ms = min(self.begun_ms, look.server_ms(self.begun_s))
        if not self.is_complete or begun_ms < sought.reconcile_at_ms:
            return None
        if self.doubt is not None:
            return self.doubt
        if self.oldest_ms > sought.intent_at_ms - (self.behind_ms or 0) - NARROWEST_MS:
            return None
        if sought.marker in self.foreign:
            # Only who has seen a message knows its marker: it was there, and is not there now.
            return CannotTell("marker_of_another_bot", final=True)
        return Absent(begun_ms)

    def _parent_of_a_reply(self, page: HistoryPage) -> str | None:
        """Its ts, where the place's own `thread_ts` turns out to be a reply's."""
        has_turned = self.thread_ts != self.place.thread_ts
        if has_turned or page.parent_ts in {None, self.thread_ts}:
            return None
        return page.parent_ts
