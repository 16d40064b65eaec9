"""What is looked for in Slack: the one message of a delivery, in the place its intent froze."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from middleware.timing import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, or one thread of it."""

    team_id: str
    channel: str
    thread_ts: str | None = None

    @classmethod
    def of(cls, target: Mapping[str, str]) -> Place:
        return cls(target["team"], target["channel"], target.get("thread_ts"))

    @property
    def method(self) -> str:
        return "conversations.history" if self.thread_ts is None else "conversations.replies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Times are the ledger server's: of the intent, of the earliest read that may prove absence,
    and one shortly before this look.
    """

    place: Place
    marker: str
    intent_at_ms: int
    reconcile_at_ms: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class Look:
    """One look, and when it came by the process's clock, which never jumps."""

    sought: Sought
    since_s: float

    def server_ms(self, at_s: float) -> int:
        """The time of the ledger's server, as it is now, at that time of the process; or less."""
        return self.sought.now_ms + round((at_s - self.since_s) * SECOND_MS)
