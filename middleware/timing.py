"""The timing contract: durations that only mean something in relation to each other.

A lease that ends before the POST's deadline would let a second worker claim a delivery whose first
POST may still arrive, so such settings are refused, never adjusted.
"""

from __future__ import annotations

from dataclasses import dataclass

from middleware.errors import TimingRefused

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

# The send lock of the design this replaces; a longer lease only delays recovery from a crash.
MAX_LEASE_MS = 10 * MINUTE_MS
# The lease must outlive the POST by half: time to settle before anyone else may look.
LEASE_PER_DEADLINE = 1.5


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
            if getattr(self, name) <= 0:
                msg = f"{name} must be more than 0, not {getattr(self, name)}"
                raise TimingRefused(msg)
        self.check_lease(self.lease_ms)

    def check_lease(self, lease_ms: int) -> None:
        """Raise TimingRefused unless a lease of this length keeps the contract."""
        if self.post_deadline_ms * LEASE_PER_DEADLINE > lease_ms:
            msg = (
                f"lease_ms ({lease_ms}) must be at least {LEASE_PER_DEADLINE} times "
                f"post_deadline_ms ({self.post_deadline_ms}): a second worker could claim "
                "a delivery whose POST may still arrive"
            )
            raise TimingRefused(msg)
        if lease_ms > MAX_LEASE_MS:
            msg = f"lease_ms ({lease_ms}) must be at most {MAX_LEASE_MS}"
            raise TimingRefused(msg)

    def check_time_limit(self, *, lease_ms: int, time_limit_ms: float, actor_name: str) -> None:
        """Raise TimingRefused unless Dramatiq leaves an actor the whole of its lease."""
        if lease_ms >= time_limit_ms:
            msg = (
                f"actor {actor_name}: lease_ms ({lease_ms}) must be less than its time limit "
                f"({time_limit_ms}), or Dramatiq interrupts it while it may still post"
            )
            raise TimingRefused(msg)
