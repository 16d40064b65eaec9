"""One page of a channel or thread as Slack gave it, reduced to what bears a marker of ours.

What is not understood is no page: an answer that was misread must not prove absence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.slack.message import MARKER_EVENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Marked:
    """A message of this system; `marker` is None where Slack withheld it."""

    ts: str
    bot_id: str | None
    marker: str | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`next_cursor` is empty at the end. `is_cut`: older messages are beyond the plan's limit.

    `parent_ts` is that of the thread which the messages belong to, None where no message tells.
    """

    marked: tuple[Marked, ...]
    next_cursor: str
    is_cut: bool
    parent_ts: str | None


def read_page(data: Mapping[str, object], *, thread_ts: str | None) -> HistoryPage | None:
    """`thread_ts` as it was asked for. None for what is not understood."""
    cursor = _next_cursor(data)
    messages = data.get("messages")
    if cursor is None or not isinstance(messages, list):
        return None
    if not all(_is_message(each) for each in messages):
        return None
    return HistoryPage(
        marked=tuple(found for each in messages if (found := _marked(each)) is not None),
        next_cursor=cursor,
        is_cut=data.get("is_limited") is True,
        parent_ts=None if thread_ts is None else _parent_ts(messages, thread_ts),
    )


def _next_cursor(data: Mapping[str, object]) -> str | None:
    """Empty where the end is told in so many words; None where neither it is, nor a place to go on.

    Absence is concluded at the end, so a page that says nothing of one is none.
    """
    match data:
        case {"response_metadata": {"next_cursor": str(cursor)}} if cursor:
            return cursor
        case {"response_metadata": {"next_cursor": cursor}} if cursor is not None and cursor != "":
            return None
        case {"has_more": has_more} if has_more is not False:
            return None
        case {"has_more": False} | {"response_metadata": {"next_cursor": str()}}:
            return ""
        case _:
            return None


def _is_message(message: object) -> bool:
    match message:
        case {"ts": str(ts)}:
            return _TS.fullmatch(ts) is not None
        case _:
            return False


def _marked(message: Mapping[str, object]) -> Marked | None:
    match message:
        case {
            "ts": str(ts),
            "metadata": {"event_type": event_type, "event_payload": {"delivery": str(marker)}},
        } if event_type == MARKER_EVENT_TYPE:
            return Marked(ts, _text(message, "bot_id"), marker)
        case {"ts": str(ts), "metadata": {"event_type": event_type}} if (
            event_type == MARKER_EVENT_TYPE
        ):
            return Marked(ts, _text(message, "bot_id"), None)
        case _:
            return None


def _parent_ts(messages: Sequence[Mapping[str, object]], thread_ts: str) -> str | None:
    """Of a reply's own ts Slack shows the reply alone, or all of its thread: either tells which."""
    for message in messages:
        if message["ts"] == thread_ts:
            return _text(message, "thread_ts") or thread_ts
    return next((parent for each in messages if (parent := _text(each, "thread_ts"))), None)


def _text(message: Mapping[str, object], name: str) -> str | None:
    value = message.get(name)
    return value if isinstance(value, str) else None
