"""Where replicas are waited for, they have what the ledger answers, so that a failover keeps it."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from middleware.answers import Accepted, Duplicate, Go
from middleware.errors import ReplicasBehind
from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from middleware.timing import Timing
from tests.redis.ledger_calls import MARKER, Calls
from tests.replicated_valkey import ReplicatedValkey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from middleware.script import Call


@pytest.fixture(scope="module")
def servers() -> Iterator[ReplicatedValkey]:
    with ReplicatedValkey() as started:
        yield started


@pytest.fixture
def on_connection(servers: ReplicatedValkey) -> Iterator[Callable[[], Calls]]:
    """The same delivery each time, on a connection that has written nothing yet."""
    keys, delivery = Keys(f"t{secrets.token_hex(6)}", partitions=2), Delivery("acme", "r1")
    with ExitStack() as closing:
        closing.callback(servers.catch_up)

        def connected() -> Calls:
            store = Store(servers.primary.url)
            closing.callback(store.close)
            ledger = Ledger(store, keys, Timing(), wait_replicas=1)
            # Which writes; so its connection is not the one that is used from here on.
            ledger.admit()
            store.close()
            return Calls(ledger, ManualClock(), delivery)

        yield connected


def test_what_replicas_have_is_answered(on_connection: Callable[[], Calls]) -> None:
    # Given
    calls = on_connection()

    # When
    accepted = calls.ledger.run(calls.accept())
    repeated = calls.ledger.run_many([calls.accept(), calls.accept(marker="another")])
    calls.ledger.run(calls.claim())
    intended = calls.ledger.run(calls.intend())

    # Then
    assert accepted == Accepted()
    assert repeated == [Accepted(), Duplicate("waiting")]
    assert isinstance(intended, Go)


def test_an_acceptance_that_no_replica_has_is_not_told(
    servers: ReplicatedValkey, on_connection: Callable[[], Calls]
) -> None:
    # Given
    calls = on_connection()
    servers.hold_back()

    # When / Then
    with pytest.raises(ReplicasBehind, match="0 of 1"):
        calls.ledger.run(calls.accept())
    with pytest.raises(ReplicasBehind, match="0 of 1"):
        calls.ledger.run_many([calls.accept(marker="another")])


def test_an_intent_asked_again_on_another_connection_waits_for_replicas_too(
    servers: ReplicatedValkey, on_connection: Callable[[], Calls]
) -> None:
    # Given
    first, again = on_connection(), on_connection()
    first.ledger.run(first.accept())
    first.ledger.run(first.claim())
    servers.hold_back()
    with pytest.raises(ReplicasBehind):
        first.ledger.run(first.intend())

    # When / Then
    with pytest.raises(ReplicasBehind):
        again.ledger.run(again.intend())


@pytest.mark.parametrize("marker", [MARKER, "another"])
def test_an_acceptance_asked_again_on_another_connection_waits_for_replicas_too(
    servers: ReplicatedValkey, on_connection: Callable[[], Calls], marker: str
) -> None:
    # Given
    first, again = on_connection(), on_connection()
    servers.hold_back()
    first.ledger.run(replace(first.accept(), replicas=0))
    # So many that no more refusals are noted.
    for _ in range(60):
        first.ledger.run(replace(first.accept(marker="another"), replicas=0))

    # When / Then
    with pytest.raises(ReplicasBehind):
        again.ledger.run(again.accept(marker=marker))


ORDERS: dict[str, Callable[[Calls], Call[Any]]] = {
    "cancel": Calls.cancel,
    "redrive": Calls.redrive,
    "mark_sent": Calls.mark_sent,
}


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_of_a_person_is_not_answered_before_replicas_have_it(
    servers: ReplicatedValkey, on_connection: Callable[[], Calls], order: str
) -> None:
    # Given
    first, again = on_connection(), on_connection()
    first.ledger.run(first.accept())
    first.ledger.run(first.claim())
    if order == "redrive":
        first.ledger.run(first.settle_rejected())
    if order == "mark_sent":
        first.ledger.run(first.intend())
        first.ledger.run(first.doubt())
    servers.hold_back()
    with pytest.raises(ReplicasBehind, match="0 of 1"):
        first.ledger.run(ORDERS[order](first))

    # When / Then
    with pytest.raises(ReplicasBehind, match="0 of 1"):
        again.ledger.run(ORDERS[order](again))


def test_a_cancel_of_what_may_be_posted_waits_for_replicas_too(
    servers: ReplicatedValkey, on_connection: Callable[[], Calls]
) -> None:
    # Given
    first, again = on_connection(), on_connection()
    first.ledger.run(first.accept())
    first.ledger.run(first.claim())
    first.ledger.run(first.intend())
    servers.hold_back()
    with pytest.raises(ReplicasBehind):
        first.ledger.run(first.cancel())

    # When / Then
    with pytest.raises(ReplicasBehind):
        again.ledger.run(again.cancel())


def test_a_cancel_that_leaves_what_may_be_posted_unproven_waits_for_replicas_too(
    servers: ReplicatedValkey, on_connection: Callable[[], Calls]
) -> None:
    # Given
    first, again = on_connection(), on_connection()
    first.ledger.run(first.accept())
    first.ledger.run(first.claim())
    first.ledger.run(first.settle_rejected())
    first.ledger.run(first.settle_sent())
    first.ledger.run(first.redrive(post_again=True))
    servers.hold_back()
    with pytest.raises(ReplicasBehind):
        first.ledger.run(first.cancel())

    # When / Then
    with pytest.raises(ReplicasBehind):
        again.ledger.run(again.cancel())


def test_many_have_all_run_when_replicas_are_behind_though_the_server_knew_no_script(
    servers: ReplicatedValkey, on_connection: Callable[[], Calls]
) -> None:
    # Given
    calls = on_connection()
    others = [
        Calls(calls.ledger, calls.clock, Delivery("acme", f"r{number}")) for number in range(3)
    ]
    servers.hold_back()
    calls.ledger.store.client.script_flush()

    # When
    with pytest.raises(ReplicasBehind):
        calls.ledger.run_many([each.accept() for each in others])

    # Then
    keys, client = calls.ledger.keys, calls.ledger.store.client
    states = [client.hget(keys.delivery(each.delivery), "state") for each in others]
    assert states == ["waiting"] * 3
