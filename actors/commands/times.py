"""Times as a person reads them: UTC to the millisecond, and spans by their two largest units."""

from __future__ import annotations

from projector.utc import utc_text

_SECOND_MS = 1_000
_UNITS = (
    ("d", 86_400 * _SECOND_MS),
    ("h", 3_600 * _SECOND_MS),
    ("min", 60 * _SECOND_MS),
    ("s", _SECOND_MS),
)


def day(since_1970_ms: int) -> str:
    """`2026-11-23`."""
    return utc_text(since_1970_ms)[:10]


def time_of_day(since_1970_ms: int) -> str:
    """`20:56:01.123`."""
    return utc_text(since_1970_ms)[11:23]


def moment(since_1970_ms: int) -> str:
    """`2026-11-23 20:56:01 UTC`."""
    return f"{day(since_1970_ms)} {time_of_day(since_1970_ms)[:8]} UTC"


def span(length_ms: int) -> str:
    """`0.017 s`, `12.3 s`, `2 min 3 s`, `3 d 4 h`; of a negative one its length."""
    length_ms = abs(length_ms)
    if length_ms < 10 * _SECOND_MS:
        return f"{length_ms / _SECOND_MS:.3f} s"
    if length_ms < 60 * _SECOND_MS:
        return f"{length_ms / _SECOND_MS:.1f} s"
    parts: list[tuple[int, str]] = []
    for name, unit_ms in _UNITS:
        count, length_ms = divmod(length_ms, unit_ms)
        if count or parts:
            parts.append((count, name))
    return " ".join(f"{count} {name}" for count, name in parts[:2] if count)


def age(length_ms: int) -> str:
    """By its largest unit alone, for columns: `12 s`, `2 min`, `3 d`."""
    for name, unit_ms in _UNITS:
        if abs(length_ms) >= unit_ms:
            return f"{abs(length_ms) // unit_ms} {name}"
    return "0 s"


def relative(since_1970_ms: int, *, now_ms: int) -> str:
    """`12.3 s ago`, `in 2 min`."""
    distance = span(now_ms - since_1970_ms)
    return f"{distance} ago" if since_1970_ms <= now_ms else f"in {distance}"
