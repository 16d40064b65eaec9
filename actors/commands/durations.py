"""A length of time as a person types it: a whole number and its unit."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text: str) -> int:
    """Raises ValueError whose text goes on from the value."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError("is not a number and s, m, h or d, such as 30s, 10m, 2h or 3d")
    number, unit = match.groups()
    return int(number) * _UNITS_MS[unit]
