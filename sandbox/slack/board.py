"""Everything this Slack knows, in one place: what changes here is shown on the page at once.

It belongs to the server's loop and takes no locks; other threads go through SlackSandbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.slack.events import EventLog
from sandbox.slack.faults import FaultPlan
from sandbox.slack.pace import HISTORY_METHODS, Pace
from sandbox.slack.tally import Tally
from sandbox.slack.workspaces import Workspaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.slack.conditions import Conditions
    from sandbox.slack.faults import Fault, RateLimited
    from sandbox.slack.posts import Post


class Board:
    def __init__(self, *, conditions: Conditions, clock: Callable[[], float]) -> None:
        self.conditions = conditions
        self.workspaces = Workspaces(clock=clock)
        self.faults = FaultPlan()
        self.events = EventLog()
        self.tally = Tally()
        self._pace = Pace()

    def totals(self) -> dict[str, int]:
        return {**self.tally.totals(), "faults": self.faults.hits.total()}

    def show_totals(self) -> None:
        self.events.append("totals", self.totals())

    def strike(self, *, method: str, team: str | None, channel: str | None) -> Fault | None:
        fault = self.faults.strike(method=method, team=team, channel=channel)
        if fault is not None:
            self.show_totals()
        return fault

    def paced(self, *, method: str, team: str | None) -> RateLimited | None:
        """The 429 that a read gets beyond `history_per_minute`; it is a condition, no fault."""
        per_minute = self.conditions.history_per_minute
        if per_minute is None or method not in HISTORY_METHODS:
            return None
        return self._pace.limited(
            method=method, team=team, per_minute=per_minute, now_s=self.workspaces.clock()
        )

    def posted(self, posts: Iterable[Post]) -> None:
        for post in posts:
            self.tally.stored(post)
            self.events.append("posted", {"post": post.as_json(), "totals": self.totals()})

    def edited(self, post: Post) -> None:
        self.events.append("edited", {"post": post.as_json()})

    def deleted(self, *, team: str, channel: str, ts: str) -> None:
        self.events.append("deleted", {"team": team, "channel": channel, "ts": ts})

    def remove(self, *, team: str, channel: str, ts: str) -> bool:
        """As a person deletes a message; False when there was none."""
        removed = self.workspaces.remove(team=team, channel=channel, ts=ts)
        if removed:
            self.deleted(team=team, channel=channel, ts=ts)
        return removed

    def declare_team(
        self, team: str, *, name: str | None = None, scopes: tuple[str, ...] | None = None
    ) -> None:
        """What is None stays as it is."""
        workspace = self.workspaces.workspace(team)
        workspace.name = workspace.name if name is None else name
        workspace.scopes = workspace.scopes if scopes is None else scopes
        self.events.append("team", workspace.as_json())

    def declare_channel(
        self,
        team: str,
        channel: str,
        *,
        name: str | None = None,
        archived: bool | None = None,
        member: bool | None = None,
    ) -> None:
        """What is None stays as it is."""
        declared = self.workspaces.channel(team, channel)
        declared.name = declared.name if name is None else name
        declared.archived = declared.archived if archived is None else archived
        declared.member = declared.member if member is None else member
        self.events.append("channel", declared.as_json())

    def clear(self) -> None:
        """Messages, attempts, counters and faults go; what was declared, and conditions, stay."""
        self.workspaces.empty()
        self.faults = FaultPlan()
        self.tally = Tally()
        self._pace = Pace()
        self.events.append("reset", {})

    def snapshot(self) -> dict[str, Any]:
        """All that a page shows, and the event after which it must listen."""
        return {
            "event": self.events.last_id,
            "counters": {**self.tally.counters(), "faults": dict(self.faults.hits)},
            "totals": self.totals(),
            "teams": [workspace.as_json() for workspace in self.workspaces],
            "channels": [
                channel.as_json()
                for workspace in self.workspaces
                for channel in workspace.channels.values()
            ],
            "posts": [post.as_json() for post in self.workspaces.posts()],
        }
