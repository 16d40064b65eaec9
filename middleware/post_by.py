"""The instant after which nothing may be written to the socket of a POST.

It is kept on a clock that runs while the machine is suspended, because a laptop lid or a paused
virtual machine is the pause this instant is for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_clock_s() -> float:
    """Seconds since boot, suspension included (without it where the platform has no such clock)."""
    return time.clock_gettime(_CLOCK)


@dataclass(frozen=True, slots=True)
class PostBy:
    """Check `passed()` directly before the first byte, after connect and TLS."""

    deadline_s: float

    def remaining_s(self) -> float:
        """Negative once the instant has passed."""
        return self.deadline_s - boot_clock_s()

    def passed(self) -> bool:
        return self.remaining_s() <= 0
