"""chat.postMessage, chat.update and chat.delete: what Slack stores, and what it refuses and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.slack.blocks import check_blocks
from sandbox.slack.errors import SlackError
from sandbox.slack.posts import Post
from sandbox.slack.reads import message_json
from sandbox.slack.timestamps import micros_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.slack.arguments import Arguments
    from sandbox.slack.conditions import Conditions
    from sandbox.slack.workspaces import Caller, Channel, Workspaces

# Longer text is cut, with a warning.
_LONGEST_TEXT = 40_000
# Longer text without blocks becomes several messages of one POST; chat.update refuses it.
_LONGEST_MESSAGE = 4_040
_PIECE = 4_000


def post_message(
    workspaces: Workspaces, conditions: Conditions, caller: Caller, arguments: Arguments
) -> tuple[dict[str, Any], tuple[Post, ...]]:
    """The answer, and what was stored: one message, or several pieces of a long one."""
    name = arguments.text("channel")
    channel = workspaces.find(caller.workspace, name, strict=conditions.strict)
    _may_write(channel, caller)
    blocks = _blocks(arguments)
    text = arguments.text("text")
    if not text.strip() and not blocks:
        raise SlackError("no_text")
    truncated = len(text) > _LONGEST_TEXT
    thread_ts = _thread(channel, arguments.text("thread_ts"), conditions)
    first = Post(
        team=channel.team,
        channel=channel.id,
        ts="",
        thread_ts=thread_ts,
        text=text,
        blocks=blocks,
        metadata=_metadata(arguments),
        bot_id=caller.bot_id,
        user_id=caller.user_id,
        broadcast=thread_ts is not None and arguments.flag("reply_broadcast"),
        mrkdwn=arguments.flag("mrkdwn", default=True),
    )
    posts = tuple(
        replace(first, ts=workspaces.new_ts(channel), text=piece)
        for piece in _pieces(text[:_LONGEST_TEXT], whole=bool(blocks))
    )
    for post in posts:
        workspaces.put(post)
    answer: dict[str, Any] = {
        "channel": channel.id,
        "ts": posts[0].ts,
        "message": message_json(posts[0]),
    }
    if truncated:
        answer |= {
            "warning": "message_truncated",
            "response_metadata": {"warnings": ["message_truncated"]},
        }
    return answer, posts


def update(
    workspaces: Workspaces, caller: Caller, arguments: Arguments, *, strict: bool
) -> tuple[dict[str, Any], Post]:
    """`text` alone drops blocks; metadata stays unless another is given, and `{}` clears it."""
    channel = workspaces.find(caller.workspace, arguments.text("channel"), strict=strict)
    post = _own_post(channel, caller, arguments.required("ts"), otherwise="cant_update_message")
    blocks = _blocks(arguments)
    text = arguments.text("text")
    if not text.strip() and not blocks:
        raise SlackError("no_text")
    if len(text) > _LONGEST_MESSAGE:
        raise SlackError("msg_too_long")
    kept = "metadata" not in arguments.values
    changed = replace(
        post,
        text=text,
        blocks=blocks,
        metadata=post.metadata if kept else _metadata(arguments),
        edited_ts=workspaces.new_ts(channel),
    )
    workspaces.put(changed)
    answer = {"channel": channel.id, "ts": post.ts, "text": text, "message": message_json(changed)}
    return answer, changed


def delete(
    workspaces: Workspaces, caller: Caller, arguments: Arguments, *, strict: bool
) -> tuple[dict[str, Any], Post]:
    channel = workspaces.find(caller.workspace, arguments.text("channel"), strict=strict)
    post = _own_post(channel, caller, arguments.required("ts"), otherwise="cant_delete_message")
    workspaces.remove(team=post.team, channel=post.channel, ts=post.ts)
    return {"channel": channel.id, "ts": post.ts}, post


def _may_write(channel: Channel, caller: Caller) -> None:
    scopes = caller.workspace.scopes
    if "chat:write" not in scopes:
        raise SlackError(
            "missing_scope", details={"needed": "chat:write", "provided": ",".join(scopes)}
        )
    if channel.archived:
        raise SlackError("is_archived")
    if not channel.member and "chat:write.public" not in scopes:
        raise SlackError("not_in_channel")


def _own_post(channel: Channel, caller: Caller, ts: str, *, otherwise: str) -> Post:
    _may_write(channel, caller)
    post = channel.posts.get(ts)
    if post is None:
        raise SlackError("message_not_found")
    if post.bot_id != caller.bot_id:
        raise SlackError(otherwise)
    return post


def _blocks(arguments: Arguments) -> tuple[dict[str, Any], ...] | None:
    blocks = arguments.parsed("blocks", otherwise="invalid_blocks_format")
    # An empty list is as good as none.
    return check_blocks(blocks) if blocks not in (None, []) else None


def _metadata(arguments: Arguments) -> Mapping[str, Any] | None:
    match arguments.parsed("metadata", otherwise="invalid_metadata_format"):
        case None:
            return None
        case dict() as metadata if not metadata:
            return None
        case {"event_type": str() as event_type, "event_payload": dict() as payload} as metadata:
            if not event_type or any(isinstance(value, dict | list) for value in payload.values()):
                raise SlackError("invalid_metadata_format")
            return dict(metadata)
        case _:
            raise SlackError("invalid_metadata_format")


def _thread(channel: Channel, ts: str, conditions: Conditions) -> str | None:
    """None for what stands in the channel. A parent that is gone is not missed."""
    if not ts:
        return None
    try:
        micros_of(ts)
    except ValueError:
        raise SlackError("invalid_arguments", "must be a ts [json-pointer:/thread_ts]") from None
    named = channel.posts.get(ts)
    if named is None or named.thread_ts in {None, ts}:
        return ts
    return named.thread_ts if conditions.reply_to_reply == "in_thread" else None


def _pieces(text: str, *, whole: bool) -> list[str]:
    if whole or len(text) <= _LONGEST_MESSAGE:
        return [text]
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
