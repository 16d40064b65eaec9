"""How long what came back waits: full jitter, so that what failed together returns apart.

Source of the scheme: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

import random

from middleware.timing import HOUR_MS, MINUTE_MS, SECOND_MS

# What comes back at once comes back to the same trouble.
_SHORTEST_MS = 100
_FIRST_MS = SECOND_MS
_LONGEST_MS = 5 * MINUTE_MS
_FIRST_LOOK_MS = 15 * SECOND_MS
_LONGEST_LOOK_MS = 10 * MINUTE_MS
# A doubt does not expire: a provider that asks for years would keep it open for years.
_LONGEST_ASKED_LOOK_MS = HOUR_MS
# Past this many doublings every delay is the longest one.
_MOST_DOUBLINGS = 20


def delivery_delay_ms(returns: int, asked_ms: int | None) -> int:
    """`asked_ms` is what the provider asked for (Retry-After): never less than that."""
    ceiling_ms = _doubled(_FIRST_MS, returns, _LONGEST_MS)
    # Jitter spreads; it needs no secret.
    jitter_ms = int(random.uniform(_SHORTEST_MS, ceiling_ms))  # noqa: S311
    return max(asked_ms or 0, jitter_ms)


def look_delay_ms(returns: int, asked_ms: int | None) -> int:
    """A failed look costs rate limit: no jitter below the doubled delay, nor below `asked_ms`
    (Retry-After) up to an hour.
    """
    doubled_ms = _doubled(_FIRST_LOOK_MS, returns, _LONGEST_LOOK_MS)
    return min(max(asked_ms or 0, doubled_ms), _LONGEST_ASKED_LOOK_MS)


def _doubled(first_ms: int, times: int, longest_ms: int) -> int:
    return min(longest_ms, first_ms << min(times, _MOST_DOUBLINGS))
