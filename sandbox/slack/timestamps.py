"""Slack's `ts`: unique in its channel, increasing, and a time on Slack's clock.

They are compared as whole microseconds, since "1700000000.1" and "1700000000.100000" are one ts.
"""

from __future__ import annotations

import re

_TS = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?")
_MICROS = 1_000_000


def ts_of(micros: int) -> str:
    """As Slack writes it: "1700000000.000100"."""
    return f"{micros // _MICROS}.{micros % _MICROS:06d}"


def micros_of(ts: str) -> int:
    """Raises ValueError for what Slack would not take for a ts."""
    match = _TS.fullmatch(ts)
    if match is None:
        raise ValueError(f"not a ts: {ts!r}")
    seconds, fraction = match.groups(default="")
    return int(seconds) * _MICROS + int(fraction.ljust(6, "0"))


def next_ts(*, now_s: float, last: str | None) -> str:
    """The ts of a message posted now; one microsecond after the last if the clock stood still."""
    micros = int(now_s * _MICROS)
    return ts_of(micros if last is None else max(micros, micros_of(last) + 1))
