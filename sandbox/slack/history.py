"""Reading a channel or a thread: windows, pages and cursors as Slack's conversations methods have.

Bounds are exclusive unless `inclusive`, a page may be shorter than asked for, and only an empty
`next_cursor` is the end.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.slack.errors import SlackError
from sandbox.slack.timestamps import micros_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.slack.arguments import Arguments
    from sandbox.slack.posts import Post

_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 999
_CURSOR = re.compile(r"next_ts:(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Window:
    """Which messages a reader asked for; `start_micros` is where the cursor says to go on."""

    oldest_micros: int
    latest_micros: int | None
    inclusive: bool
    limit: int
    start_micros: int | None

    def holds(self, post: Post) -> bool:
        micros = micros_of(post.ts)
        reach = 0 if self.inclusive else 1
        return self.oldest_micros + reach <= micros and (
            self.latest_micros is None or micros <= self.latest_micros - reach
        )


@dataclass(frozen=True, slots=True)
class Page:
    posts: tuple[Post, ...]
    next_cursor: str

    @property
    def has_more(self) -> bool:
        return bool(self.next_cursor)


def read_window(arguments: Arguments, *, page_max: int) -> Window:
    """Raises `invalid_ts_oldest`, `invalid_ts_latest`, `invalid_limit` or `invalid_cursor`."""
    oldest = _bound(arguments, "oldest")
    return Window(
        # Without a bound nothing is older than the window, not even a message at 0.
        oldest_micros=-1 if oldest is None else oldest,
        latest_micros=_bound(arguments, "latest"),
        inclusive=arguments.flag("inclusive"),
        limit=min(_limit(arguments), page_max),
        start_micros=_start(arguments.text("cursor")),
    )


def newest_first(posts: Sequence[Post], window: Window) -> Page:
    """A page of a channel."""
    start = window.start_micros
    wanted = [
        post
        for post in reversed(posts)
        if window.holds(post) and (start is None or micros_of(post.ts) <= start)
    ]
    return _page(wanted, window)


def oldest_first(parent: Post, replies: Sequence[Post], window: Window) -> Page:
    """A page of a thread; the parent stands before the first page's replies, inside or outside."""
    start = window.start_micros
    wanted = [
        post
        for post in replies
        if window.holds(post) and (start is None or micros_of(post.ts) >= start)
    ]
    return _page([parent, *wanted] if start is None else wanted, window)


def cursor_at(post: Post) -> str:
    """What a reader hands back to go on with this message."""
    return base64.b64encode(f"next_ts:{micros_of(post.ts)}".encode()).decode()


def _page(wanted: Sequence[Post], window: Window) -> Page:
    rest = wanted[window.limit :]
    return Page(tuple(wanted[: window.limit]), cursor_at(rest[0]) if rest else "")


def _bound(arguments: Arguments, name: str) -> int | None:
    text = arguments.text(name)
    if not text or text == "now":
        return None
    try:
        return micros_of(text)
    except ValueError:
        raise SlackError(f"invalid_ts_{name}") from None


def _limit(arguments: Arguments) -> int:
    text = arguments.text("limit") or str(_DEFAULT_LIMIT)
    if not text.isdecimal() or not 1 <= int(text) <= _LARGEST_LIMIT:
        raise SlackError("invalid_limit")
    return int(text)


def _start(cursor: str) -> int | None:
    if not cursor:
        return None
    try:
        match = _CURSOR.fullmatch(base64.b64decode(cursor, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        match = None
    if match is None:
        raise SlackError("invalid_cursor")
    return int(match[1])
