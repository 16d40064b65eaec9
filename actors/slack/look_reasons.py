"""What the reasons for which a look cannot tell mean to a person; Slack's own are in `codes`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOK_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "answer_not_understood": (
            "What answered is not understood as Slack's history: check POSTONCE_SLACK_URL, and any "
            "proxy before it."
        ),
        "thread_of_a_reply": (
            "Its thread_ts is a reply's and not a parent's: Slack may have put it into the thread "
            "of both, or into the channel itself, so look in both. Ask for the parent's ts."
        ),
        "window_cut": (
            "The workspace's plan hides older messages, so what is not seen may only be hidden: "
            "upgrade the plan."
        ),
    }
)
