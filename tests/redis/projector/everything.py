"""A log in which everything stands that may stand in one, and how the present came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from middleware.dispatch_once import new_marker
from middleware.keys import Delivery
from middleware.operating import Order, mark_sent, redrive
from projector.configure import configure
from projector.requests import request
from projector.utc import utc_text
from tests.redis.projector.asking import RECEIPT, ask, claim, fields, post, reject
from tests.redis.projector.test_configuring import configuration

if TYPE_CHECKING:
    from middleware.ledger import Ledger
    from middleware.stub_ledger import ManualClock

TENANTS = ("acme", "globex", "initech", "umbrella")
OTHER_RECEIPT = {"channel": "C1", "ts": "1700000000.000200"}
ORDER = Order(by="ada@ops", why="the channel is open again")


def write_everything(ledger: Ledger, clock: ManualClock) -> None:
    """`clock` is the ledger's; it moves on."""
    configure(ledger, {name: configuration(f"T{place}") for place, name in enumerate(TENANTS)})
    for tenant in TENANTS:
        _open_ones(ledger, clock, tenant)
        _ended_ones(ledger, tenant)
        _strays(ledger, tenant)
        _bad_ones(ledger, tenant)
        _redriven_ones(ledger, tenant)
    for tenant in TENANTS:
        _doubtful_ones(ledger, clock, tenant)


def in_doubt(ledger: Ledger, name: str, tenant: str) -> Delivery:
    delivery = ask(ledger, name, tenant=tenant)
    token = claim(ledger, delivery)
    ledger.run(ledger.intend(delivery, token=token, target={"channel": "C1"}))
    ledger.run(ledger.doubt(delivery, token=token, why="timeout"))
    return delivery


def redriven(ledger: Ledger, delivery: Delivery) -> None:
    ledger.run(redrive(ledger, delivery, ORDER, marker=new_marker()))


def _open_ones(ledger: Ledger, clock: ManualClock, tenant: str) -> None:
    ask(ledger, "waiting", tenant=tenant)
    request(ledger=ledger, **fields("waiting", tenant=tenant))
    request(ledger=ledger, **fields("waiting", tenant=tenant, priority="low"))
    ask(ledger, "delayed", tenant=tenant, send_at=utc_text(clock.now_ms + 86_400_000))
    claim(ledger, ask(ledger, "claimed", tenant=tenant))


def _ended_ones(ledger: Ledger, tenant: str) -> None:
    for name in ("sent", "sent too"):
        post(ledger, ask(ledger, name.replace(" ", "-"), tenant=tenant))
    reject(ledger, ask(ledger, "rejected", tenant=tenant))
    ledger.run(ledger.cancel(ask(ledger, "cancelled", tenant=tenant)))
    expired = ask(ledger, "expired", tenant=tenant, expires_at="2001-01-01T00:00:00Z")
    ledger.run(ledger.sweep(expired))


def _strays(ledger: Ledger, tenant: str) -> None:
    for name, receipt in (("rejected", RECEIPT), ("sent", OTHER_RECEIPT), ("never-asked", RECEIPT)):
        delivery = Delivery(tenant, name)
        ledger.run(ledger.settle_sent(delivery, token="gone", receipt=receipt))


def _bad_ones(ledger: Ledger, tenant: str) -> None:
    keys, client = ledger.keys, ledger.store.client
    partition = keys.partition_of(tenant)
    log, bodiless = keys.requests(partition), "bodiless"
    client.xadd(log, {"event": "requested", "tenant": tenant, "id": bodiless})
    client.xadd(keys.outcomes(partition), {"event": "sent", "tenant": b"\xff"})
    other = (partition + 1) % keys.partitions
    client.xadd(keys.requests(other), {"event": "configured", "tenant": tenant, "version": "1"})


def _redriven_ones(ledger: Ledger, tenant: str) -> None:
    for name in ("redriven", "redriven-and-sent", "redriven-twice"):
        delivery = ask(ledger, name, tenant=tenant)
        reject(ledger, delivery)
        redriven(ledger, delivery)
    post(ledger, Delivery(tenant, "redriven-and-sent"))
    twice = Delivery(tenant, "redriven-twice")
    ledger.run(ledger.cancel(twice))
    redriven(ledger, twice)


def _doubtful_ones(ledger: Ledger, clock: ManualClock, tenant: str) -> None:
    names = ("unproven", "unproven-then-sent", "unproven-then-marked")
    deliveries = [in_doubt(ledger, name, tenant) for name in names]
    clock.advance(ms=ledger.timing.post_deadline_ms + ledger.timing.settle_delay_ms)
    for delivery in deliveries:
        token = claim(ledger, delivery)
        ledger.run(ledger.give_up(delivery, token=token, error="no_scope", reason="Look there."))
    ledger.run(ledger.settle_sent(deliveries[1], token="gone", receipt=RECEIPT))
    ledger.run(mark_sent(ledger, deliveries[2], ORDER, receipt=RECEIPT))
    in_doubt(ledger, "uncertain", tenant)
