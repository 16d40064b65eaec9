"""Where each request stands, and by which marker Slack would know its message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from middleware.store import failing_closed
from projector.status import read_statuses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from middleware.keys import Delivery
    from middleware.ledger import Ledger
    from projector.status import Status

# Thousands in one round trip would keep the store from everybody else.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Followed:
    """One accepted request: where it stands, and the marker that its message has in Slack."""

    delivery: Delivery
    marker: str | None
    status: Status | None

    @property
    def state(self) -> str:
        return self.status.status if self.status is not None else "forgotten"


def follow(ledger: Ledger, deliveries: Sequence[Delivery]) -> Iterator[Followed]:
    """Each of them as it stands. Raises LedgerUnavailable."""
    for start in range(0, len(deliveries), _AT_ONCE):
        some = deliveries[start : start + _AT_ONCE]
        with failing_closed():
            pipeline = ledger.store.client.pipeline(transaction=False)
            for delivery in some:
                pipeline.hget(ledger.keys.delivery(delivery), "marker")
            markers = cast("list[str | None]", pipeline.execute())
        statuses = read_statuses(ledger, some)
        for delivery, marker, status in zip(some, markers, statuses, strict=True):
            yield Followed(delivery, marker, status)
