"""What a channel holds and what reached the door: values that never change once handed out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Post:
    """One message of a channel, as it stands now; `text` is kept as it came, not escaped."""

    team: str
    channel: str
    ts: str
    thread_ts: str | None
    text: str
    blocks: tuple[Mapping[str, Any], ...] | None
    metadata: Mapping[str, Any] | None
    bot_id: str
    user_id: str
    broadcast: bool = False
    mrkdwn: bool = True
    edited_ts: str | None = None

    @property
    def marker(self) -> str | None:
        """What names the delivery in Slack: `delivery` in the metadata's payload."""
        return marker_in(self.metadata)

    @property
    def in_channel(self) -> bool:
        """False for a reply that stands in its thread only."""
        return self.broadcast or self.thread_ts in {None, self.ts}

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "marker": self.marker}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that reached chat.postMessage, whatever became of it.

    `headers` are as sent, the token among them, with lower-case names. `answer` is "ok", the error
    code, or the name of the fault that struck; None while nothing has been answered yet.
    """

    number: int
    team: str | None
    channel: str | None
    marker: str | None
    arguments: Mapping[str, Any]
    headers: Mapping[str, str]
    stored: bool = False
    fault: str | None = None
    answer: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Without the headers: a token belongs on no page."""
        return {name: value for name, value in asdict(self).items() if name != "headers"}


def marker_in(metadata: object) -> str | None:
    """None where there is none, or where what stands there is not shaped like metadata."""
    match metadata:
        case {"event_payload": {"delivery": str() as marker}}:
            return marker
        case _:
            return None
