"""Many requests are redriven by the order of one person; each keeps its own answer.

Done again it is safe: what was redriven is in progress then, or has ended anew.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from middleware.dispatch_once import new_marker
from middleware.operating import redrive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from middleware.keys import Delivery
    from middleware.ledger import Ledger
    from middleware.operating import Order, RedriveAnswer

# Enough to hide the round trip; what one failure leaves unanswered is no more than this.
_CHUNK = 100


def redrive_each(
    ledger: Ledger, deliveries: Iterable[Delivery], order: Order, *, post_again: bool
) -> Iterator[tuple[Delivery, RedriveAnswer]]:
    """In order, lazy. Raises LedgerUnavailable: of the next few it is not known then."""
    remaining = iter(deliveries)
    while chunk := list(islice(remaining, _CHUNK)):
        calls = [
            redrive(ledger, delivery, order, marker=new_marker(), post_again=post_again)
            for delivery in chunk
        ]
        yield from zip(chunk, ledger.run_many(calls), strict=True)
