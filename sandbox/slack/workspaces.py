"""What this Slack holds: workspaces, channels and messages, touched on the server's loop only.

Unless told to be strict it knows every channel and every bot token; a token says whose it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.slack.errors import SlackError
from sandbox.slack.timestamps import next_ts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.slack.posts import Post

DEFAULT_TEAM = "T0SANDBOX"
HISTORY_SCOPES = ("channels:history", "groups:history", "im:history", "mpim:history")
DEFAULT_SCOPES = ("chat:write", *HISTORY_SCOPES)

# `xoxb-T123` and `xoxb-T123-anything` are the bot of T123; other bot tokens are the default team's.
_TEAM_TOKEN = re.compile(r"xoxb-([TE][A-Z0-9]+)(?:-.*)?")
# Ids of people hold a digit, so that a channel may be called UPDATES in a test.
_PERSON = re.compile(r"U(?=[A-Z]*[0-9])[A-Z0-9]+")


@dataclass(slots=True)
class Channel:
    team: str
    id: str
    name: str | None = None
    archived: bool = False
    member: bool = True
    last_ts: str | None = None
    # By ts, so in the order of posting.
    posts: dict[str, Post] = field(default_factory=dict)

    def replies(self) -> Mapping[str, list[Post]]:
        """The replies of each thread, oldest first, by the parent's ts."""
        threads: dict[str, list[Post]] = {}
        for post in self.posts.values():
            if post.thread_ts is not None and post.thread_ts != post.ts:
                threads.setdefault(post.thread_ts, []).append(post)
        return threads

    def as_json(self) -> dict[str, object]:
        shown = ("team", "id", "name", "archived", "member")
        return {name: getattr(self, name) for name in shown}


@dataclass(slots=True)
class Workspace:
    id: str
    name: str | None = None
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    channels: dict[str, Channel] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {"id": self.id, "name": self.name, "scopes": self.scopes}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token speaks for."""

    workspace: Workspace
    bot_id: str
    user_id: str


class Workspaces:
    def __init__(self, *, clock: Callable[[], float]) -> None:
        """`clock` is Slack's own, in seconds since 1970; tests may let it differ from ours."""
        self.clock = clock
        self._workspaces: dict[str, Workspace] = {}
        # Token → (team, bot).
        self._tokens: dict[str, tuple[str, str | None]] = {}
        # In the order of posting over all channels: (team, channel, ts).
        self._order: dict[tuple[str, str, str], None] = {}

    def __iter__(self) -> Iterator[Workspace]:
        return iter(self._workspaces.values())

    def declare_token(self, token: str, *, team: str, bot_id: str | None = None) -> None:
        """With `bot_id`, the token of another app in the same team."""
        self._tokens[token] = (team, bot_id)

    def workspace(self, team: str) -> Workspace:
        """Made when first named."""
        return self._workspaces.setdefault(team, Workspace(team))

    def channel(self, team: str, channel: str) -> Channel:
        """Made when first named."""
        channels = self.workspace(team).channels
        return channels.setdefault(channel, Channel(team, channel))

    def caller(self, token: str | None, *, strict: bool) -> Caller:
        """Raises `not_authed` without a token, `invalid_auth` for one that is nobody's."""
        if not token:
            raise SlackError("not_authed")
        if token in self._tokens:
            team, bot_id = self._tokens[token]
        elif strict or not token.startswith("xoxb-"):
            raise SlackError("invalid_auth")
        else:
            named = _TEAM_TOKEN.fullmatch(token)
            team, bot_id = (named[1] if named else DEFAULT_TEAM), None
        bot_id = bot_id or f"B{team[1:]}"
        return Caller(self.workspace(team), bot_id=bot_id, user_id=f"U{bot_id[1:]}")

    def find(self, workspace: Workspace, channel: str, *, strict: bool) -> Channel:
        """By id; raises `channel_not_found`."""
        if is_person(channel):
            # Slack opens the conversation with a person by itself, and answers its D… id.
            channel = f"D{channel[1:]}"
        if not channel or (strict and channel not in workspace.channels):
            raise SlackError("channel_not_found")
        return self.channel(workspace.id, channel)

    def new_ts(self, channel: Channel) -> str:
        channel.last_ts = next_ts(now_s=self.clock(), last=channel.last_ts)
        return channel.last_ts

    def put(self, post: Post) -> None:
        """Store it, or what an edit made of it."""
        self.channel(post.team, post.channel).posts[post.ts] = post
        self._order[post.team, post.channel, post.ts] = None

    def remove(self, *, team: str, channel: str, ts: str) -> bool:
        """False when there was none. Its ts is never given out again."""
        self._order.pop((team, channel, ts), None)
        return self.channel(team, channel).posts.pop(ts, None) is not None

    def posts(self) -> tuple[Post, ...]:
        """Over all channels, in the order of posting."""
        return tuple(
            self._workspaces[team].channels[channel].posts[ts] for team, channel, ts in self._order
        )

    def empty(self) -> None:
        """Take every message away; what was declared stays."""
        self._order.clear()
        for workspace in self:
            for channel in workspace.channels.values():
                channel.posts.clear()


def is_person(channel: str) -> bool:
    return _PERSON.fullmatch(channel) is not None
