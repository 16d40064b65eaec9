"""Which requests `list` shows and `redrive` means: said by the same options, read in one way."""

from __future__ import annotations

from actors.commands.failures import UsageUnclear
from projector.listing import Filter


def filter_of(
    *,
    tenant: str | None,
    status: str | None,
    error: str | None,
    older_than_ms: int | None,
    newer_than_ms: int | None,
    now_ms: int,
) -> Filter:
    """Raise UsageUnclear for a span of time with nothing in it."""
    if older_than_ms is not None and newer_than_ms is not None and older_than_ms >= newer_than_ms:
        raise UsageUnclear(
            "nothing is older than --older-than and newer than --newer-than: "
            "give --newer-than the longer time"
        )
    return Filter(
        tenant=tenant,
        status=status,
        error=error,
        from_ms=None if newer_than_ms is None else now_ms - newer_than_ms,
        until_ms=None if older_than_ms is None else now_ms - older_than_ms,
    )
