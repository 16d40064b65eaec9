"""Which requests `list` shows and `redrive` means: said by the same options, read in one way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.commands.failures import TenantUnknown, UsageUnclear
from projector.listing import Filter, is_known, list_statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from middleware.ledger import Ledger
    from projector.status import Status


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


def list_chosen(ledger: Ledger, wanted: Filter) -> Iterator[Status]:
    """As `list_statuses`. Raises TenantUnknown: a mistyped tenant must not look like a good one of
    which nothing is to be done.
    """
    if wanted.tenant is not None and not is_known(ledger, wanted.tenant):
        raise TenantUnknown(wanted.tenant)
    return list_statuses(ledger, wanted)
