"""How this Slack behaves to everybody until told otherwise; a fault strikes single requests."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

# An answer held longer than this is a fault called silence.
_LONGEST_MS = 600_000
# What conversations.history gives at most, whatever `limit` asks for.
_LARGEST_PAGE = 999


class Conditions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    # Only declared channels and tokens are known.
    strict: bool = False
    # Every answer of the API takes this much longer.
    slow_ms: int = Field(default=0, ge=0, le=_LONGEST_MS)
    # Where a message goes whose `thread_ts` is a reply's. Slack does not document it; most reports
    # say into the channel, some into the thread of both. Who tests against this meets the worse.
    reply_to_reply: Literal["in_channel", "in_thread"] = "in_channel"
    # Off: no token has a `*:history` scope.
    history_readable: bool = True
    # A message is read this much later than it was posted.
    history_lag_ms: int = Field(default=0, ge=0, le=_LONGEST_MS)
    # The objects of a page at most; apps outside the Marketplace get 15.
    history_page_max: int = Field(default=_LARGEST_PAGE, ge=1, le=_LARGEST_PAGE)
    # Calls of each method that reads history, each minute and team; such apps get 1.
    history_per_minute: int | None = Field(default=None, ge=1)
    # Older messages are said to be out of the plan's window (`is_limited`).
    history_limited: bool = False

    def changed(self, **changes: object) -> Conditions:
        """Raises pydantic's ValidationError for a name or value that does not exist."""
        return Conditions.model_validate({**self.model_dump(), **changes})
