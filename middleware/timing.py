"""The timing contract: durations that only mean something in relation to each other.

A lease that ends before the POST's deadline would let a second worker claim a delivery whose first
POST may still arrive, so such settings are refused, never adjusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from middleware.errors import TimingRefused

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

# The send lock of the design this replaces; a longer lease only delays recovery from a crash.
MAX_LEASE_MS = 10 * MINUTE_MS
# The lease must outlive the POST by half: time to settle before anyone else may look.
LEASE_PER_DEADLINE = 1.5
MAX_POST_DEADLINE_MS = int(MAX_LEASE_MS / LEASE_PER_DEADLINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All in milliseconds. See design §4 for what each one trades."""

    post_deadline_ms: int = 10 * SECOND_MS
    lease_ms: int = 30 * SECOND_MS
    settle_delay_ms: int = 60 * SECOND_MS
    dispatch_window_ms: int = 60 * SECOND_MS
    reconcile_limit_ms: int = HOUR_MS
    expires_after_ms: int = DAY_MS
    retention_ms: int = 7 * DAY_MS

    def __post_init__(self) -> None:
        for name in self.__slots__:
            length_ms = getattr(self, name)
            if length_ms <= 0:
                raise TimingRefused(name, "more than", 0, ms=length_ms, why="nothing takes no time")
        if self.post_deadline_ms > MAX_POST_DEADLINE_MS:
            raise TimingRefused(
                "post_deadline_ms",
                "at most",
                MAX_POST_DEADLINE_MS,
                ms=self.post_deadline_ms,
                why="no lease may be long enough for more",
            )
        self.check_lease(self.lease_ms)

    def check_lease(self, lease_ms: int) -> None:
        """Raise TimingRefused unless a lease of this length keeps the contract."""
        least_ms = ceil(self.post_deadline_ms * LEASE_PER_DEADLINE)
        if lease_ms < least_ms:
            why = (
                f"{LEASE_PER_DEADLINE} times the post deadline, or a second worker could claim a "
                "delivery whose POST may still arrive"
            )
            raise TimingRefused("lease_ms", "at least", least_ms, ms=lease_ms, why=why)
        if lease_ms > MAX_LEASE_MS:
            why = "a longer one only delays recovery from a crash"
            raise TimingRefused("lease_ms", "at most", MAX_LEASE_MS, ms=lease_ms, why=why)

    def check_time_limit(self, *, lease_ms: int, time_limit_ms: float, actor_name: str) -> None:
        """Raise TimingRefused unless Dramatiq leaves an actor the whole of its lease."""
        if lease_ms >= time_limit_ms:
            raise TimingRefused(
                "lease_ms",
                "less than",
                int(time_limit_ms),
                ms=lease_ms,
                why="its time limit, or Dramatiq interrupts it while it may still post",
                actor_name=actor_name,
            )
