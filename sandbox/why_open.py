"""One line on why a delivery has no outcome yet, from what the ledger noted of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projector.explanation import read_explanation
from projector.utc import utc_text

if TYPE_CHECKING:
    from middleware.keys import Delivery
    from middleware.ledger import Ledger


def why_open(ledger: Ledger, delivery: Delivery) -> str:
    """`acme/r1 is waiting, due at …: postponed (tenant_disabled)`."""
    known = read_explanation(ledger, delivery.tenant, delivery.id)
    if known is None or known.status is None:
        return f"{delivery} is due, but there is no record of it"
    due_ms = known.status.due_at_ms
    due = "" if due_ms is None else f", due at {utc_text(due_ms)}"
    reasons = [
        f": {each.what} ({reason})"
        for each in known.evidence
        if (reason := each.details.get("reason") or each.details.get("why"))
    ]
    return f"{delivery} is {known.status.status}{due}{reasons[-1] if reasons else ''}"
