"""Why a request stands where it stands: every event, claim and refusal, in the order of time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from middleware.keys import Delivery
from projector.current_views import read_current
from projector.status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from redis.client import Pipeline

    from middleware.ledger import Ledger

# At the same instant: what was asked for, what was done about it, what came of that, what is ahead.
_SOURCES = ("ledger", "event", "record")
_FIRST = "requested"
# What the record says of times, which may lie ahead, and how a person would put it.
_TIMES = {
    "not_before": "not before this",
    "lease_until": "the claim's lease ends",
    "reconcile_at": "may be looked for from here on",
    "due": "the sweeper looks next",
    "expires_at": "expires",
}
# What the record says besides, without text and without the claim's token.
_FACTS = (
    "state",
    "marker",
    "priority",
    "thread_ts",
    "attempts",
    "max_attempts",
    "message_id",
    "dispatches",
    "returns",
    "target",
    "looks",
    "error",
    "reason",
    "receipt",
    "stray_receipts",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """`event` is folded from the log, `ledger` a transition, `record` a time that it names."""

    at_ms: int
    source: Literal["event", "ledger", "record"]
    what: str
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`status` is None when only the log's trace is left; `facts` is the record as it stands."""

    status: Status | None
    facts: Mapping[str, str]
    evidence: tuple[Evidence, ...]


def read_explanation(ledger: Ledger, tenant: str, message_request_id: str) -> Explanation | None:
    """None when nothing is known of such a request. Raises LedgerUnavailable."""
    delivery = Delivery(tenant, message_request_id)

    def ask(pipeline: Pipeline, generation: int) -> None:
        pipeline.hgetall(ledger.keys.delivery(delivery))
        pipeline.lrange(ledger.keys.history(delivery), 0, -1)
        pipeline.lrange(ledger.keys.timeline(delivery, generation), 0, -1)

    _, replies = read_current(ledger, ledger.keys.partition_of(tenant), ask)
    record, history, timeline = cast("tuple[dict[str, str], list[str], list[str]]", replies)
    evidence = [
        *_read("event", timeline),
        *_read("ledger", history),
        *_ahead(record),
    ]
    if not evidence and not record:
        return None
    evidence.sort(
        key=lambda each: (each.at_ms, each.what != _FIRST, _SOURCES.index(each.source)),
    )
    facts = {name: record[name] for name in _FACTS if name in record}
    return Explanation(status_of(delivery, record), facts, tuple(evidence))


def _read(source: Literal["event", "ledger"], entries: Iterable[str]) -> Iterator[Evidence]:
    for entry in entries:
        at_ms, what, details = json.loads(entry)
        yield Evidence(int(at_ms), source, str(what), dict(details))


def _ahead(record: Mapping[str, str]) -> Iterator[Evidence]:
    for name, what in _TIMES.items():
        # 0 is "at once", and of what has ended no time is ahead.
        if int(record.get(name) or 0) and "settled_at" not in record:
            yield Evidence(int(record[name]), "record", what, {})
