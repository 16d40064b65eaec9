"""What is due and stands still is dispatched again, once a window, whatever else goes wrong."""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import TYPE_CHECKING, Any

import dramatiq
import pytest
from dramatiq import Middleware
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import MiddlewareError

from middleware.delivery_key import DeliveryKey
from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from middleware.sweeper import BATCH, Sweeper
from middleware.timing import Timing
from sandbox.servers import ValkeyProcess
from tests.keyspace import remove_keys
from tests.redis.middleware.application import QUEUE, R1, Application
from tests.redis.projector.guarding import redis_broker

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from dramatiq import Broker, Message

    from sandbox.cluster import ThreeNodeCluster
    from tests.lossy_proxy import LossyProxy

R2 = Delivery("acme", "r2")


@pytest.fixture
def app(ledger: Ledger) -> Application:
    # The kind of actor is of no consequence before it runs.
    return Application(ledger)


@pytest.fixture
def overdue(app: Application, clock: ManualClock) -> Application:
    """R1 and R2 were sent, and lost by the queue."""
    for delivery in (R1, R2):
        app.send(delivery)
    app.broker.flush_all()
    clock.advance(ms=app.ledger.timing.dispatch_window_ms)
    return app


def test_it_tells_how_long_nothing_is_due(app: Application, clock: ManualClock) -> None:
    # Given
    app.accept(not_before_ms=clock.now_ms + 5_000)

    # When
    next_ms = Sweeper(app.ledger, app.broker).sweep()

    # Then
    assert next_ms == 5_000
    assert app.queued() == 0


def test_it_tells_what_is_due_next_where_something_was_due_now(
    overdue: Application, clock: ManualClock
) -> None:
    # Given
    overdue.accept(Delivery("acme", "r3"), not_before_ms=clock.now_ms + 200)

    # When
    next_ms = Sweeper(overdue.ledger, overdue.broker).sweep()

    # Then
    assert next_ms == 200
    assert overdue.queued() == 2


def test_two_at_once_dispatch_once_in_a_window(overdue: Application) -> None:
    # Given
    others = [Sweeper(overdue.ledger, overdue.broker) for _ in range(2)]

    # When
    for sweeper in others:
        sweeper.sweep()

    # Then
    assert overdue.queued() == 2


def test_what_stays_unclaimed_is_dispatched_ever_more_rarely(
    overdue: Application, clock: ManualClock
) -> None:
    # Given
    waits_ms: list[int] = []

    # When
    for _ in range(8):
        overdue.sweep()
        due_ms = int(overdue.record()["due"])
        waits_ms.append(due_ms - clock.now_ms)
        clock.now_ms = due_ms

    # Then
    window_ms, hour_ms = overdue.ledger.timing.dispatch_window_ms, 3_600_000
    assert waits_ms == [min(window_ms * 2**times, hour_ms) for times in range(8)]


def test_what_it_enqueues_is_the_message_that_was_sent(
    app: Application, clock: ManualClock
) -> None:
    # Given
    message_id = app.send()
    app.broker.flush_all()
    clock.advance(ms=app.ledger.timing.dispatch_window_ms)

    # When
    app.sweep()

    # Then
    assert isinstance(app.broker, StubBroker)
    assert message_id in str(app.broker.queues[QUEUE].get_nowait())


def test_a_broker_that_is_away_is_tried_again_in_the_next_window(
    ledger: Ledger, clock: ManualClock, proxy: LossyProxy, prefix: str
) -> None:
    # Given
    broker = redis_broker(proxy.url, namespace=f"{prefix}-queue")
    with closing(broker.client):
        app = Application(ledger, broker=broker)
        for delivery in (R1, R2):
            app.accept(delivery)
        broker.do_qsize(QUEUE)
        clock.advance(ms=ledger.timing.dispatch_window_ms)
        proxy.down()
        app.sweep()
        proxy.up()
        length_before = broker.do_qsize(QUEUE)

        # When
        clock.advance(ms=ledger.timing.dispatch_window_ms)
        app.sweep()

        # Then
        assert length_before == 0
        assert broker.do_qsize(QUEUE) == 2
        assert app.noted().count("swept") == app.noted(R2).count("swept") == 2


class _Full(Middleware):
    """A broker that takes nothing, and says so in a way that is all its own."""

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        raise _QueueIsFull


class _QueueIsFull(MiddlewareError):
    """Only errors of this kind leave a hook; to the sweeper it is any error."""


def test_what_a_broker_does_not_take_is_tried_again_in_each_window(
    overdue: Application, clock: ManualClock
) -> None:
    # Given
    overdue.broker.add_middleware(_Full())
    waits_ms: list[int] = []

    # When
    for _ in range(4):
        overdue.sweep()
        due_ms = int(overdue.record(R2)["due"])
        waits_ms.append(due_ms - clock.now_ms)
        clock.now_ms = due_ms

    # Then
    assert waits_ms == [overdue.ledger.timing.dispatch_window_ms] * 4
    assert overdue.queued() == 0


def test_a_message_that_cannot_be_read_holds_up_no_other(
    overdue: Application, client: redis.Redis
) -> None:
    # Given
    client.hset(overdue.ledger.keys.delivery(R1), "message", "garbage")

    # When
    overdue.sweep()

    # Then
    assert overdue.queued() == 1


def test_a_tenant_whose_records_are_broken_holds_up_no_other(
    app: Application, clock: ManualClock, client: redis.Redis
) -> None:
    # Given
    keys = app.ledger.keys
    names = [f"tenant-{number}" for number in range(10)]
    same_partition = [name for name in names if keys.partition_of(name) == 0]
    broken, healthy = (Delivery(tenant, "r1") for tenant in same_partition[:2])
    for delivery in (broken, healthy):
        app.send(delivery)
    app.broker.flush_all()
    clock.advance(ms=app.ledger.timing.dispatch_window_ms)
    client.rename(keys.delivery(broken), keys.lease(0))
    client.set(keys.delivery(broken), "no record")

    # When
    app.sweep()

    # Then
    client.rename(keys.lease(0), keys.delivery(broken))
    assert app.queued() == 1


def test_a_record_that_is_broken_holds_up_no_other_of_its_tenant(
    overdue: Application, client: redis.Redis
) -> None:
    # Given
    keys = overdue.ledger.keys
    aside = keys.lease(keys.partition_of(R1.tenant))
    client.rename(keys.delivery(R1), aside)
    client.set(keys.delivery(R1), "no record", ex=60)

    # When
    overdue.sweep()

    # Then
    assert overdue.queued() == 1
    client.rename(aside, keys.delivery(R1))


def test_a_message_for_an_actor_that_is_unknown_here_holds_up_no_other(
    overdue: Application, clock: ManualClock
) -> None:
    # Given
    overdue.accept(Delivery("acme", "r0"))
    clock.advance(ms=overdue.ledger.timing.dispatch_window_ms)
    overdue.broker.actors.clear()

    # When
    overdue.sweep()

    # Then
    assert overdue.queued() == 2, "what is kept needs no actor here"


def test_without_a_store_it_says_so(distant_ledger: Ledger, proxy: LossyProxy) -> None:
    # Given
    app = Application(distant_ledger)
    proxy.down()

    # When
    with pytest.raises(LedgerUnavailable):
        app.sweep()

    # Then
    assert app.queued() == 0


def test_what_is_due_by_mistake_does_not_make_it_hurry(
    app: Application, client: redis.Redis, clock: ManualClock
) -> None:
    # Given
    keys = app.ledger.keys
    client.zadd(keys.tenants(0), {"gone": clock.now_ms - 1})

    # When
    next_ms = Sweeper(app.ledger, app.broker).sweep()

    # Then
    assert next_ms != 0
    client.delete(keys.tenants(0))


def test_many_tenants_that_cannot_be_swept_do_not_make_it_hurry(
    app: Application, client: redis.Redis, clock: ManualClock
) -> None:
    # Given
    keys = app.ledger.keys
    gone = {f"gone-{number}": clock.now_ms - 1 for number in range(BATCH)}
    client.zadd(keys.tenants(0), gone)

    # When
    next_ms = Sweeper(app.ledger, app.broker).sweep()

    # Then
    assert next_ms != 0
    client.delete(keys.tenants(0))


def test_a_store_that_takes_no_writes_ends_the_sweep(ledger: Ledger, clock: ManualClock) -> None:
    # Given
    with ValkeyProcess() as full, closing(Store(full.url, clock_ms=clock)) as store:
        app = Application(Ledger(store, ledger.keys, ledger.timing))
        for delivery in (R1, Delivery("other", "r1")):
            app.accept(delivery)
        clock.advance(ms=ledger.timing.dispatch_window_ms)
        with full.client() as client:
            client.config_set("maxmemory", 1)

        # When / Then
        with pytest.raises(LedgerUnavailable, match="maxmemory"):
            app.sweep()


def test_a_node_that_takes_no_writes_holds_up_no_other(cluster: ThreeNodeCluster) -> None:
    # Given
    clock, keys = ManualClock(), Keys(f"t{secrets.token_hex(6)}", partitions=8)
    tenants = {keys.partition_of(name): name for name in map(str, range(100))}
    with closing(Store(cluster.url, clock_ms=clock)) as store:
        app = Application(Ledger(store, keys, Timing()))
        for tenant in tenants.values():
            app.accept(Delivery(tenant, "r1"))
        clock.advance(ms=app.ledger.timing.dispatch_window_ms)
        nodes: Any = store.client
        # The first in the order of sweeping.
        full_port = nodes.get_node_from_key(keys.tenants(0)).port
        (full,) = (node for node in cluster.nodes if node.port == full_port)
        on_others = [
            tenant
            for partition, tenant in tenants.items()
            if nodes.get_node_from_key(keys.tenants(partition)).port != full_port
        ]

        # When
        with full.client() as direct:
            direct.config_set("maxmemory", 1)
            app.sweep()
            direct.config_set("maxmemory", 0)

        # Then
        assert app.queued() == len(on_others) > 0
        remove_keys(store.client, keys.prefix)


def test_a_partition_that_cannot_be_asked_holds_up_no_other(
    overdue: Application, client: redis.Redis
) -> None:
    # Given
    keys = overdue.ledger.keys
    other = keys.tenants(1 - keys.partition_of(R1.tenant))
    client.set(other, "no sorted set")

    # When
    overdue.sweep()

    # Then
    assert overdue.queued() == 2
    client.delete(other)


def test_who_cannot_make_a_message_leaves_its_window_to_who_can(
    app: Application, clock: ManualClock
) -> None:
    # Given
    app.accept()
    actors = dict(app.broker.actors)
    app.broker.actors.clear()
    for _ in range(4):
        clock.advance(ms=app.ledger.timing.dispatch_window_ms)
        app.sweep()

    # When
    app.broker.actors.update(actors)
    clock.advance(ms=app.ledger.timing.dispatch_window_ms)
    app.sweep()

    # Then
    assert app.queued() == 1


def test_what_can_never_be_enqueued_is_an_error(
    app: Application, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    # Its actor is called with more than the record tells, and no message of it is kept.
    app.actor = declare_charge(app.broker)
    app.accept(Delivery("acme", "invoice-1"))
    clock.advance(ms=app.ledger.timing.dispatch_window_ms)

    # When
    app.sweep()

    # Then
    assert app.queued() == 0
    errors = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert any("missing a required argument: 'cents'" in each for each in errors)


def declare_charge(broker: Broker) -> dramatiq.Actor[..., Any]:
    def charge(tenant: str, request_id: str, cents: int) -> None:
        raise AssertionError(tenant, request_id, cents)

    key = DeliveryKey(tenant="tenant", id="request_id")
    declared: Callable[..., dramatiq.Actor[..., Any]] = dramatiq.actor(
        broker=broker, actor_name="charge", queue_name=QUEUE, dispatch_once=key, send_lock=key
    )
    return declared(charge)
