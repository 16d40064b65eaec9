"""What a person found in Slack, said as Slack says it: by a message's link, or by its ts."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TS = re.compile(r"([0-9]{10})\.([0-9]{6})", re.ASCII)
# What "Copy link" gives; of a reply the thread's ts follows, which is another message.
_LINK = re.compile(
    r"(?:https://[A-Za-z0-9.-]+\.slack(?:-gov)?\.com/archives/([A-Z0-9]{2,64})/)?"
    r"p([0-9]{10})([0-9]{6})/?(?:\?\S*)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class FoundPost:
    """`channel` is None where only a ts was given."""

    ts: str
    channel: str | None = None

    @property
    def at_ms(self) -> int:
        """When it was posted, by Slack's clock: a ts is a time."""
        seconds, microseconds = self.ts.split(".")
        return int(seconds) * 1_000 + int(microseconds) // 1_000


def found_post(text: str) -> FoundPost:
    """Raises ValueError whose text goes on from the value."""
    # As chats and mails hand links on.
    text = text.strip().removeprefix("<").removesuffix(">")
    if _TS.fullmatch(text):
        return FoundPost(text)
    link = _LINK.fullmatch(text)
    if not link:
        raise ValueError(
            "is neither the link of a message of Slack's nor its timestamp, such as "
            "1796043073.545059 or p1796043073545059"
        )
    channel, seconds, microseconds = link.groups()
    return FoundPost(f"{seconds}.{microseconds}", channel)
