"""Status is read from the ledger's record, the truth; the projection only says where to look.

So a status never lags, and a list shows each request as it is when it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from middleware.answers import text_to_mapping
from middleware.keys import Delivery
from middleware.store import failing_closed
from projector.utc import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from middleware.ledger import Ledger

OPEN_STATES = ("waiting", "claimed", "sending", "uncertain")

_FIELDS = ("state", "receipt", "attempts", "error", "accepted_at", "due", "settled_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a request stands; `status` is one of the ledger's states."""

    tenant: str
    message_request_id: str
    status: str
    receipt: Mapping[str, str] | None
    attempts: int
    error: str | None
    requested_at_ms: int
    due_at_ms: int | None
    settled_at_ms: int | None

    @property
    def since_ms(self) -> int:
        """When it ended; of what is open, when it was requested."""
        return self.requested_at_ms if self.settled_at_ms is None else self.settled_at_ms

    def as_json(self) -> dict[str, object]:
        """The form that users rely on, ready for `json.dumps`; times in RFC 3339."""
        return {
            "tenant": self.tenant,
            "message_request_id": self.message_request_id,
            "status": self.status,
            "receipt": None if self.receipt is None else dict(self.receipt),
            "attempts": self.attempts,
            "error": self.error,
            "requested_at": utc_text(self.requested_at_ms),
            "due_at": _utc_text_or_none(self.due_at_ms),
            "settled_at": _utc_text_or_none(self.settled_at_ms),
        }


def read_status(ledger: Ledger, tenant: str, message_request_id: str) -> Status | None:
    """None when there is no such request, or its retention is over. Raises LedgerUnavailable."""
    return read_statuses(ledger, [Delivery(tenant, message_request_id)])[0]


def read_statuses(ledger: Ledger, deliveries: Sequence[Delivery]) -> list[Status | None]:
    """As `read_status`, for each, in one round trip."""
    with failing_closed():
        pipeline = ledger.store.client.pipeline(transaction=False)
        for delivery in deliveries:
            pipeline.hmget(ledger.keys.delivery(delivery), _FIELDS)
        records = cast("list[list[str | None]]", pipeline.execute())
    return [
        status_of(delivery, dict(zip(_FIELDS, values, strict=True)))
        for delivery, values in zip(deliveries, records, strict=True)
    ]


def status_of(delivery: Delivery, record: Mapping[str, str | None]) -> Status | None:
    """None for a record that is not there."""
    state, receipt = record.get("state"), record.get("receipt")
    if state is None:
        return None
    return Status(
        tenant=delivery.tenant,
        message_request_id=delivery.id,
        status=state,
        receipt=text_to_mapping(receipt) if receipt else None,
        attempts=int(record.get("attempts") or 0),
        error=record.get("error"),
        requested_at_ms=int(record.get("accepted_at") or 0),
        due_at_ms=_int_or_none(record.get("due")),
        settled_at_ms=_int_or_none(record.get("settled_at")),
    )


def _int_or_none(text: str | None) -> int | None:
    return int(text) if text else None


def _utc_text_or_none(since_1970_ms: int | None) -> str | None:
    return None if since_1970_ms is None else utc_text(since_1970_ms)
