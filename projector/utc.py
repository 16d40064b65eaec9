"""A time from outside names its zone; inside it is milliseconds since 1970, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator

from projector.sentences import plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_EXAMPLE = "2026-11-23T20:00:00Z"
_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII
)


def utc_ms(text: str) -> int:
    """Finer than a millisecond is cut off. Raises ValueError whose text is a plain sentence."""
    match = _RFC_3339.fullmatch(text)
    if not match:
        raise ValueError(f"must be a time as RFC 3339 has it, such as {_EXAMPLE}")
    date, time, fraction, zone = match.groups()
    if not zone:
        raise ValueError(f"has no time zone; write Z for UTC, as in {_EXAMPLE}")
    try:
        # Python reads six digits at most after the point.
        moment = datetime.fromisoformat(f"{date}T{time}{(fraction or '')[:7]}{zone.upper()}")
        since_1970_ms = (moment - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None
    if not 0 <= since_1970_ms < _END_MS:
        raise ValueError("must be between the years 1970 and 9999")
    return since_1970_ms


def utc_text(since_1970_ms: int) -> str:
    """RFC 3339 in UTC, always with three digits after the point, so equal times are equal text."""
    moment = _EPOCH + since_1970_ms * _MILLISECOND
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_END_MS = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // _MILLISECOND


def _read(value: object) -> int:
    if not isinstance(value, str):
        raise plain(f"must be a time as text, such as {_EXAMPLE}")
    try:
        return utc_ms(value)
    except ValueError as error:
        raise plain(str(error)) from None


UtcMs = Annotated[int, BeforeValidator(_read)]
