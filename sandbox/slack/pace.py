"""Slack's limit on reading history: so many calls of a method in a minute, by its own clock."""

from __future__ import annotations

import math
from collections import deque

from sandbox.slack.faults import RateLimited

HISTORY_METHODS = frozenset({"conversations.history", "conversations.replies"})
_MINUTE_S = 60.0


class Pace:
    def __init__(self) -> None:
        self._called_at_s: dict[tuple[str, str | None], deque[float]] = {}

    def limited(
        self, *, method: str, team: str | None, per_minute: int, now_s: float
    ) -> RateLimited | None:
        """None for a call that may be answered; it counts, those that may not don't."""
        called_at_s = self._called_at_s.setdefault((method, team), deque())
        while called_at_s and called_at_s[0] <= now_s - _MINUTE_S:
            called_at_s.popleft()
        if len(called_at_s) < per_minute:
            called_at_s.append(now_s)
            return None
        return RateLimited(retry_after=math.ceil(called_at_s[0] + _MINUTE_S - now_s))
