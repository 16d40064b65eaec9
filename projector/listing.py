"""Lists take their candidates from the projection and show each as the ledger has it.

So what is shown is true; what happened in the last moments may not be listed yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from middleware.keys import Delivery
from middleware.store import failing_closed
from projector.current_views import read_current
from projector.fold import ENDED, OPEN
from projector.status import OPEN_STATES, Status, read_statuses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from redis.client import Pipeline

    from middleware.ledger import Ledger

# Two round trips a page; large enough to hide them, small enough to show something at once.
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which requests are meant; whatever is None does not matter.

    `status` is a state of the ledger (another word means none of them), `error` the code it ended
    with. What has ended did so neither before `from_ms` nor after `until_ms`; what is open was
    requested so.
    """

    tenant: str | None = None
    status: str | None = None
    error: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None

    def means(self, found: Status) -> bool:
        since_ms = found.since_ms
        return (
            self.tenant in (None, found.tenant)
            and self.status in (None, found.status)
            and self.error in (None, found.error)
            and (self.from_ms is None or self.from_ms <= since_ms)
            and (self.until_ms is None or since_ms <= self.until_ms)
        )


def list_statuses(ledger: Ledger, wanted: Filter) -> Iterator[Status]:
    """Each request once: by tenant, then open before ended, then by time. Lazy.

    Raises LedgerUnavailable.
    """
    for tenant in known_tenants(ledger) if wanted.tenant is None else (wanted.tenant,):
        yield from _of_tenant(ledger, tenant, wanted)


def known_tenants(ledger: Ledger) -> list[str]:
    """Those that configured or requested something, sorted."""
    with failing_closed():
        pipeline = ledger.store.client.pipeline(transaction=False)
        for partition in range(ledger.keys.partitions):
            pipeline.smembers(ledger.keys.known(partition))
        replies = cast("list[Iterable[str]]", pipeline.execute())
    return sorted(tenant for tenants in replies for tenant in tenants)


def is_known(ledger: Ledger, tenant: str) -> bool:
    """Whether it is configured, or something of it is folded."""
    known = ledger.keys.known(ledger.keys.partition_of(tenant))
    with failing_closed():
        pipeline = ledger.store.client.pipeline(transaction=False)
        pipeline.sismember(known, tenant)
        pipeline.exists(ledger.keys.config(tenant))
        return any(pipeline.execute())


def _of_tenant(ledger: Ledger, tenant: str, wanted: Filter) -> Iterator[Status]:
    shown_elsewhere: set[str] = set()
    for view in (OPEN, *ENDED):
        if wanted.status is not None and _view_of(wanted.status) != view:
            continue
        for found in _in_view(ledger, tenant, view):
            if not wanted.means(found) or found.message_request_id in shown_elsewhere:
                continue
            if _view_of(found.status) != view:
                # The fold of its outcome is on the way, and lists it again under a later view.
                shown_elsewhere.add(found.message_request_id)
            yield found


def _in_view(ledger: Ledger, tenant: str, view: str) -> Iterator[Status]:
    # From the last score on, past those of it that were shown: pages by rank would shift when
    # something leaves the view meanwhile.
    generation, score, shown_of_score = 0, "-inf", 0
    while True:
        generation, page = _read_page(
            ledger, tenant, view, score=score, skipped=shown_of_score, guess=generation
        )
        if not page:
            return
        deliveries = [Delivery(tenant, member) for member, _ in page]
        yield from (found for found in read_statuses(ledger, deliveries) if found is not None)
        last = str(int(page[-1][1]))
        of_last = sum(1 for _, each in page if str(int(each)) == last)
        shown_of_score = of_last + (shown_of_score if last == score else 0)
        score = last


def _read_page(
    ledger: Ledger, tenant: str, view: str, *, score: str, skipped: int, guess: int
) -> tuple[int, list[tuple[str, float]]]:
    """With the generation that it is of: the guess for the next page."""

    def ask(pipeline: Pipeline, generation: int) -> None:
        name = ledger.keys.listed(tenant, view, generation)
        pipeline.zrangebyscore(name, score, "+inf", start=skipped, num=_PAGE, withscores=True)

    generation, replies = read_current(ledger, ledger.keys.partition_of(tenant), ask, guess=guess)
    return generation, cast("list[tuple[str, float]]", replies[0])


def _view_of(status: str) -> str:
    return OPEN if status in OPEN_STATES else status
