"""auth.test, conversations.history and conversations.replies: what can be known afterwards.

A message is read only with the history scope of its kind of conversation, and only by a member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.slack.errors import SlackError
from sandbox.slack.history import newest_first, oldest_first, read_window
from sandbox.slack.timestamps import micros_of
from sandbox.slack.workspaces import HISTORY_SCOPES, is_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.slack.arguments import Arguments
    from sandbox.slack.conditions import Conditions
    from sandbox.slack.history import Page
    from sandbox.slack.posts import Post
    from sandbox.slack.workspaces import Caller, Channel, Workspaces

_SCOPE_BY_KIND = {"G": "groups:history", "D": "im:history"}
_MICROS_PER_MS = 1_000


def auth_test(caller: Caller) -> dict[str, Any]:
    workspace = caller.workspace
    return {
        "url": "https://sandbox.invalid/",
        "team": workspace.name or workspace.id,
        "user": "postonce",
        "team_id": workspace.id,
        "user_id": caller.user_id,
        "bot_id": caller.bot_id,
        "is_enterprise_install": False,
    }


def conversations_history(
    workspaces: Workspaces, conditions: Conditions, caller: Caller, arguments: Arguments
) -> dict[str, Any]:
    channel = _readable(workspaces, conditions, caller, arguments)
    window = read_window(arguments, page_max=conditions.history_page_max)
    posts = [
        post for post in _visible(workspaces, conditions, channel.posts.values()) if post.in_channel
    ]
    page = newest_first(posts, window)
    limited = {"is_limited": True} if conditions.history_limited else {}
    return {
        "messages": _shown(page.posts, channel, arguments),
        "pin_count": 0,
        **_paging(page),
        **limited,
    }


def conversations_replies(
    workspaces: Workspaces, conditions: Conditions, caller: Caller, arguments: Arguments
) -> dict[str, Any]:
    channel = _readable(workspaces, conditions, caller, arguments)
    window = read_window(arguments, page_max=conditions.history_page_max)
    ts = arguments.required("ts")
    parent = channel.posts.get(ts)
    if parent is None or not _visible(workspaces, conditions, [parent]):
        raise SlackError("thread_not_found")
    replies = _visible(workspaces, conditions, channel.replies().get(ts, []))
    page = oldest_first(parent, replies, window)
    return {"messages": _shown(page.posts, channel, arguments), **_paging(page)}


def scopes_of(caller: Caller, conditions: Conditions) -> tuple[str, ...]:
    """What the token may do now."""
    scopes = caller.workspace.scopes
    if conditions.history_readable:
        return scopes
    return tuple(scope for scope in scopes if scope not in HISTORY_SCOPES)


def message_json(post: Post) -> dict[str, Any]:
    """A message as Slack shows it, but for its metadata and its thread."""
    edited = {"edited": {"user": post.user_id, "ts": post.edited_ts}} if post.edited_ts else {}
    return {
        "type": "message",
        "ts": post.ts,
        "text": post.text,
        "team": post.team,
        "user": post.user_id,
        "bot_id": post.bot_id,
        "app_id": f"A{post.bot_id[1:]}",
        **({"subtype": "thread_broadcast"} if post.broadcast else {}),
        **({"thread_ts": post.thread_ts} if post.thread_ts else {}),
        **({"blocks": list(post.blocks)} if post.blocks else {}),
        **edited,
    }


def _readable(
    workspaces: Workspaces, conditions: Conditions, caller: Caller, arguments: Arguments
) -> Channel:
    name = arguments.required("channel")
    if is_person(name):
        # A conversation with a person is read by its own id, which the answer to a post tells.
        raise SlackError("channel_not_found")
    channel = workspaces.find(caller.workspace, name, strict=conditions.strict)
    needed = _SCOPE_BY_KIND.get(channel.id[0], "channels:history")
    scopes = scopes_of(caller, conditions)
    if needed not in scopes:
        raise SlackError("missing_scope", details={"needed": needed, "provided": ",".join(scopes)})
    if not channel.member:
        raise SlackError("not_in_channel")
    return channel


def _visible(workspaces: Workspaces, conditions: Conditions, posts: Iterable[Post]) -> list[Post]:
    newest = int(workspaces.clock() * 1_000_000) - conditions.history_lag_ms * _MICROS_PER_MS
    return [post for post in posts if not conditions.history_lag_ms or micros_of(post.ts) <= newest]


def _shown(posts: Sequence[Post], channel: Channel, arguments: Arguments) -> list[dict[str, Any]]:
    all_metadata = arguments.flag("include_all_metadata")
    threads = channel.replies()
    shown = []
    for post in posts:
        message = message_json(post)
        if post.metadata:
            # Without the flag a reader learns that there is metadata, not what it says.
            message["metadata"] = (
                dict(post.metadata) if all_metadata else {"event_type": post.metadata["event_type"]}
            )
        if replies := threads.get(post.ts):
            message |= {
                "thread_ts": post.ts,
                "reply_count": len(replies),
                "reply_users_count": len({reply.user_id for reply in replies}),
                "latest_reply": replies[-1].ts,
            }
        shown.append(message)
    return shown


def _paging(page: Page) -> dict[str, Any]:
    return {
        "has_more": page.has_more,
        "response_metadata": {"next_cursor": page.next_cursor},
    }
