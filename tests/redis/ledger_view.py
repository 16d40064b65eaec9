"""Everything the ledger has written, read past the ledger; and what must hold of it at any time.

The invariants are those of design §4: a schedule that forgets nobody, counts that are true, and
one outcome event for each ending.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from middleware.keys import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from middleware.ledger import Ledger

_REDRIVABLE = ("rejected", "expired", "cancelled", "unproven")
OPEN = ("waiting", "claimed", "sending", "uncertain")
TERMINAL = ("sent", "rejected", "expired", "cancelled", "unproven")

_BUCKETS = {"delayed": "waiting"} | {state: state for state in OPEN}
_LEASE = {"token", "lease_until"}
_INTENT = {"intent_at", "reconcile_at", "target"}
_EVENT_FIELDS = {"event", "tenant", "id", "at", "attempts", "error", "reason", "receipt"}
_ORDER_FIELDS = {"by", "why"}
# What begins another round, as the history tells it.
_REDRIVES = {"redriven", "post ordered"}


class Entry(NamedTuple):
    """One line of a delivery's history."""

    at_ms: int
    what: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a transition of one delivery could change; `expiring` names the keys that expire."""

    record: Mapping[str, str]
    history: tuple[Entry, ...]
    body: str | None
    due: Mapping[str, float]
    tenants: Mapping[str, float]
    counts: Mapping[str, int]
    requests: tuple[Mapping[str, str], ...]
    outcomes: tuple[Mapping[str, str], ...]
    expiring: frozenset[str]

    def check(self, delivery: Delivery) -> None:
        """Assert what holds of one delivery between any two transitions."""
        if self.record["state"] in OPEN:
            _check_open(self.record, self, delivery)
        else:
            _check_terminal(self.record, self, delivery)

    def told(self, delivery: Delivery) -> list[str]:
        """The outcome events of this delivery, in order."""
        names = delivery.tenant, delivery.id
        return [
            event["event"] for event in self.outcomes if (event["tenant"], event["id"]) == names
        ]


class LedgerView:
    """Reads with plain commands, so that no script can hide what another one wrote."""

    def __init__(self, ledger: Ledger) -> None:
        self._keys = ledger.keys
        self._client = ledger.store.client

    def snapshot(self, delivery: Delivery) -> Snapshot:
        keys, partition = self._keys, self._keys.partition_of(delivery.tenant)
        pipeline: Any = self._client.pipeline(transaction=False)
        pipeline.hgetall(keys.delivery(delivery))
        pipeline.lrange(keys.history(delivery), 0, -1)
        pipeline.get(keys.request(delivery))
        pipeline.zrange(keys.due(delivery.tenant), 0, -1, withscores=True)
        pipeline.zrange(keys.tenants(partition), 0, -1, withscores=True)
        pipeline.hgetall(keys.counts(partition))
        pipeline.xrange(keys.requests(partition))
        pipeline.xrange(keys.outcomes(partition))
        own_keys = {
            "delivery": keys.delivery(delivery),
            "history": keys.history(delivery),
            "request": keys.request(delivery),
        }
        for key in own_keys.values():
            pipeline.pttl(key)
        record, history, body, due, tenants, counts, requests, outcomes, *ttls = pipeline.execute()
        return Snapshot(
            record=record,
            # An empty Lua table is {} to one server's JSON and [] to another's.
            history=tuple(
                Entry(at_ms, what, details or {})
                for at_ms, what, details in (json.loads(line) for line in history)
            ),
            body=body,
            due=dict(due),
            tenants=dict(tenants),
            counts={bucket: int(count) for bucket, count in counts.items() if int(count) != 0},
            requests=tuple(fields for _, fields in requests),
            outcomes=tuple(fields for _, fields in outcomes),
            expiring=frozenset(
                name for name, ttl_ms in zip(own_keys, ttls, strict=True) if ttl_ms > 0
            ),
        )

    def record(self, delivery: Delivery) -> dict[str, str]:
        return cast("dict[str, str]", self._client.hgetall(self._keys.delivery(delivery)))

    def ttl_ms(self, key: str) -> int:
        """-1 for a key that stays, -2 for one that is not there."""
        return self._client.pttl(key)

    def check(self) -> None:
        """Assert what holds between any two transitions, of every delivery."""
        counted: dict[int, Counter[str]] = defaultdict(Counter)
        due: dict[str, dict[str, float]] = defaultdict(dict)
        snapshots = {delivery: self.snapshot(delivery) for delivery in self._deliveries()}
        for delivery, snapshot in snapshots.items():
            snapshot.check(delivery)
            record = snapshot.record
            if record["state"] in OPEN:
                counted[self._keys.partition_of(delivery.tenant)][record["counted"]] += 1
                due[delivery.tenant][delivery.id] = float(record["due"])
        for delivery, snapshot in snapshots.items():
            partition = self._keys.partition_of(delivery.tenant)
            assert snapshot.counts == counted[partition]
            assert snapshot.due == due[delivery.tenant], "the open deliveries and no others"
            assert snapshot.tenants == {
                tenant: min(times.values())
                for tenant, times in due.items()
                if times and self._keys.partition_of(tenant) == partition
            }

    def _deliveries(self) -> Iterator[Delivery]:
        for key in self._client.scan_iter(match=f"{self._keys.prefix}:*:delivery:*", count=1000):
            tenant, _, id_ = cast("str", key).partition(":delivery:")[2].partition(":")
            yield Delivery(tenant, id_)


def _check_open(record: Mapping[str, str], snapshot: Snapshot, delivery: Delivery) -> None:
    state = record["state"]
    assert _BUCKETS[record["counted"]] == state
    assert snapshot.expiring == frozenset()
    assert _endings(snapshot, delivery) == []
    assert state == "uncertain" or (record.keys() >= _LEASE) == (state != "waiting")
    if state == "sending":
        assert record.keys() >= _INTENT
    elif state == "uncertain":
        # What the intent said may be lost with the writes of an earlier epoch.
        assert record.keys() >= _INTENT - {"target"}
    else:
        assert not record.keys() & {"intent_at", "reconcile_at"}
        assert int(record["due"]) <= int(record["expires_at"]), "it ends when its time runs out"


def _check_terminal(record: Mapping[str, str], snapshot: Snapshot, delivery: Delivery) -> None:
    state = record["state"]
    assert state in TERMINAL
    assert record.keys() >= {"settled_at", "attempts"}
    assert not record.keys() & {"due", "counted", "lease_until", "not_before"}
    # What was never accepted is known by its message only; once it is sent nobody needs that.
    assert "message" not in record or not (state == "sent" or "fingerprint" in record)
    assert ("receipt" in record) == (state == "sent")
    assert state != "sent" or snapshot.body is None
    bodies = {"request"} if snapshot.body is not None else set[str]()
    assert snapshot.expiring == {"delivery", "history"} | bodies
    endings = _endings(snapshot, delivery)
    assert endings in ([state], ["unproven", "sent"])
    assert endings[-1] == state
    for event in snapshot.outcomes:
        is_ordered = event["event"] == "redriven" or "by" in event
        order = _ORDER_FIELDS if is_ordered else set[str]()
        assert event.keys() == _EVENT_FIELDS | order


def _endings(snapshot: Snapshot, delivery: Delivery) -> list[str]:
    """How the current round ended; the ones before it ended once, in what may be redriven."""
    told = _rounds(snapshot.told(delivery))
    assert told == _rounds(entry.what for entry in snapshot.history)
    assert all(len(endings) == 1 and endings[0] in _REDRIVABLE for endings in told[:-1])
    return told[-1]


def _rounds(names: Iterable[str]) -> list[list[str]]:
    rounds: list[list[str]] = [[]]
    for name in names:
        if name in _REDRIVES:
            rounds.append([])
        elif name in TERMINAL:
            rounds[-1].append(name)
    return rounds
