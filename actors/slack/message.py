"""One rendered message; how it is sent makes it read as its template says, and nothing more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.slack.bot_tokens import BotToken

MARKER_EVENT_TYPE = "postonce"


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """`marker` is the delivery's random id, by which the message is found again in Slack.

    Text and blocks are kept out of `repr`, so that logging a message does not publish it.
    """

    text: str = field(repr=False)
    blocks: tuple[dict[str, object], ...] | None = field(repr=False)
    marker: str

    def arguments(self, target: Mapping[str, str]) -> dict[str, object]:
        """The body of chat.postMessage for `target`: channel, and thread_ts for a reply."""
        arguments: dict[str, object] = {
            "channel": target["channel"],
            "text": self.text,
            # A variable that reads "@here" or "#general" stays text; only `<!here>` in the
            # template is live. In blocks the template says the same by `"verbatim": true`.
            "link_names": False,
            "parse": "none",
            # An unfurl has Slack fetch the links in a message, which uses up one-time links, and
            # changes the message after it was posted.
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {
                "event_type": MARKER_EVENT_TYPE,
                "event_payload": {"delivery": self.marker},
            },
        }
        if self.blocks is not None:
            arguments["blocks"] = self.blocks
        if "thread_ts" in target:
            arguments["thread_ts"] = target["thread_ts"]
        return arguments


@dataclass(frozen=True, slots=True)
class AuthorizedMessage:
    """A message and what may post it: nothing is left to be read once the POST is intended."""

    message: SlackMessage
    token: BotToken
