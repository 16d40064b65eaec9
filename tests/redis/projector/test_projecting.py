from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import redis
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import ActorNotFound, ConnectionClosed
from dramatiq.middleware import Middleware

from middleware.dispatch_once import DispatchOnce
from middleware.errors import LedgerUnavailable, PayloadRefused
from middleware.ledger import Ledger
from middleware.store import Store
from projector.configuration import TenantConfiguration
from projector.configure import configure
from projector.dispatching import dispatch
from projector.event_log import Position, read_events
from projector.events import MessageRequested, parse_event
from projector.partition_lease import PartitionLease
from projector.partition_projector import PartitionProjector
from projector.projector import Projector
from projector.stats import stats
from sandbox.servers import ValkeyProcess
from tests.redis.projector.asking import RECEIPT, ask, post, queued, reject, stream
from tests.redis.projector.guarding import declare_actor
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dramatiq import Broker, Message

    from middleware.keys import Delivery
    from middleware.script import Call

T = TypeVar("T")

LEASE_MS = 400


@contextmanager
def projecting(ledger: Ledger, broker: Broker, *, lease_ms: int = LEASE_MS) -> Iterator[Projector]:
    projector = Projector(ledger, broker, lease_ms=lease_ms, block_ms=20)
    projector.start()
    try:
        yield projector
    finally:
        projector.stop()


def project_all(ledger: Ledger, broker: Broker) -> None:
    with projecting(ledger, broker):
        wait_until_folded(ledger)


def wait_until_folded(ledger: Ledger) -> None:
    wait_until(lambda: stats(ledger).projector_lag == 0, description="every event is folded")


class BrokerOfOneFault(StubBroker):
    """Enqueues as ever, but for its first call, which ends in this error."""

    def __init__(self, ledger: Ledger, error: Exception) -> None:
        super().__init__(middleware=[DispatchOnce(ledger)])
        declare_actor(self)
        self._error: Exception | None = error

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        error, self._error = self._error, None
        if error is not None:
            raise error
        return super().enqueue(message, delay=delay)


class BrokerThatFillsTheStore(StubBroker):
    """Enqueues as ever; after the first the store has no memory left for the fold."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(middleware=[DispatchOnce(ledger)])
        declare_actor(self)
        self._client = ledger.store.client
        self._is_full = False

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        enqueued = super().enqueue(message, delay=delay)
        if not self._is_full:
            self._is_full = True
            self._client.config_set("maxmemory", "1")
        return enqueued


class StoreFreedByARefusal(Store):
    """Has memory again as soon as it has refused one call that came alone."""

    def run(self, call: Call[T]) -> T:
        try:
            return super().run(call)
        except LedgerUnavailable:
            self.client.config_set("maxmemory", "0")
            raise


class AddsAnOption(Middleware):
    """As a tracing middleware does."""

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        message.options["sentry_headers"] = {}


class SetAfterWaits(Event):
    """A stop signal that nobody has to wait for, set after so many waits."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def wait(self, timeout: float | None = None) -> bool:
        self._number -= 1
        if self._number == 0:
            self.set()
        return self.is_set()


class StandingBroker(StubBroker):
    """Enqueues, and then stands still as a dead process does, until it may move again."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(middleware=[DispatchOnce(ledger)])
        declare_actor(self)
        self.may_move = Event()

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        enqueued = super().enqueue(message, delay=delay)
        self.may_move.wait()
        return enqueued


@contextmanager
def dying(ledger: Ledger) -> Iterator[StandingBroker]:
    """A projector that dies, holding its leases, as soon as it has dispatched something."""
    broker = StandingBroker(ledger)
    projector = Projector(ledger, broker, lease_ms=LEASE_MS, block_ms=20)
    projector.start()
    try:
        yield broker
    finally:
        broker.may_move.set()
        projector.stop()


def test_a_request_is_put_on_the_queue_as_a_reference_and_nothing_else(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    ask(ledger)

    # When
    project_all(ledger, broker)

    # Then
    (message,) = queued(broker)
    assert (message.queue_name, message.actor_name) == ("slack", "send_message")
    assert message.kwargs == {"tenant": "acme", "message_request_id": "r1"}
    assert (message.args, message.options) == ((), {})


def test_a_thread_travels_with_the_request_that_names_one(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    ask(ledger, thread_ts="1700000000.000100")

    # When
    project_all(ledger, broker)

    # Then
    (message,) = queued(broker)
    assert message.kwargs["thread_ts"] == "1700000000.000100"


def test_what_stands_together_in_the_log_is_dispatched_by_priority(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    for message_request_id, priority in (
        ("1", "low"),
        ("2", "normal"),
        ("3", "high"),
        ("4", "high"),
    ):
        ask(ledger, message_request_id, priority=priority)

    # When
    project_all(ledger, broker)

    # Then
    ids = [message.kwargs["message_request_id"] for message in queued(broker)]
    assert (set(ids[:2]), ids[2:]) == ({"3", "4"}, ["2", "1"])


def test_what_is_to_be_sent_later_is_folded_and_not_dispatched(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    ask(ledger, send_at=tomorrow.isoformat())

    # When
    project_all(ledger, broker)

    # Then
    assert queued(broker) == []
    assert stats(ledger).delayed == 1


def test_an_event_whose_request_has_ended_dispatches_nothing(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    post(ledger, ask(ledger))

    # When
    project_all(ledger, broker)

    # Then
    assert queued(broker) == []


def test_several_projectors_fold_and_dispatch_each_event_once(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    minute_ms = 60_000
    with (
        projecting(ledger, broker, lease_ms=minute_ms),
        projecting(ledger, broker, lease_ms=minute_ms),
    ):
        # When
        for number in range(40):
            ask(ledger, f"r{number}", tenant=f"tenant-{number % 5}")
        wait_until_folded(ledger)

    # Then
    assert len({message.message_id for message in queued(broker)}) == len(queued(broker)) == 40
    folded = [
        int(client.hget(ledger.keys.projection(partition), "0:requests:folded") or 0)
        for partition in range(2)
    ]
    assert sum(folded) == 40
    assert all(folded), "the tenants are of both partitions"


def test_a_crash_between_dispatch_and_fold_does_both_again_with_the_same_message(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    delivery = ask(ledger)
    with dying(ledger) as first:
        (before,) = wait_until(lambda: queued(first), description="it was dispatched")

        # When
        project_all(ledger, broker)

    # Then
    (after,) = queued(broker)
    assert after.message_id == before.message_id
    assert client.llen(ledger.keys.timeline(delivery, 0)) == 1


def test_the_partitions_of_a_projector_that_died_are_taken_over(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    ask(ledger, "last-of-the-first")
    with dying(ledger) as first:
        wait_until(lambda: queued(first), description="the first has dispatched")
        with projecting(ledger, broker):
            # When
            ask(ledger, "first-of-the-second")
            wait_until_folded(ledger)

    # Then
    names = [message.kwargs["message_request_id"] for message in queued(broker)]
    assert "first-of-the-second" in names


def test_a_partition_is_left_to_who_holds_it_until_it_is_released(ledger: Ledger) -> None:
    # Given
    holder = PartitionLease(ledger, 0, lease_ms=60_000)
    other = PartitionLease(ledger, 0, lease_ms=60_000)
    holder.hold()

    # When
    answers = [other.hold(), holder.hold()]
    other.release()
    answers.append(other.hold())
    holder.release()
    answers.append(other.hold())

    # Then
    assert [answer is not None for answer in answers] == [False, True, False, True]


def test_a_stopped_projector_leaves_no_lease_behind(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    leases = [ledger.keys.lease(partition) for partition in range(2)]
    projector = Projector(ledger, broker, lease_ms=60_000, block_ms=20)
    projector.start()
    wait_until(lambda: client.exists(*leases) == 2, description="both are held")

    # When
    projector.stop()

    # Then
    assert client.exists(*leases) == 0


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosed("by RabbitMQ"),  # type: ignore[no-untyped-call]
        redis.exceptions.ConnectionError("by Redis"),
    ],
)
def test_while_the_queue_cannot_be_reached_it_waits_says_so_once_and_goes_on(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    # Given
    ask(ledger)
    broker = BrokerOfOneFault(ledger, error)

    # When
    project_all(ledger, broker)

    # Then
    assert len(queued(broker)) == 1
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1


def test_an_enqueue_that_fails_otherwise_is_left_to_the_sweeper(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    ask(ledger, "r1")
    ask(ledger, "r2")
    broker = BrokerOfOneFault(ledger, ValueError("secret text"))

    # When
    project_all(ledger, broker)

    # Then
    assert [message.kwargs["message_request_id"] for message in queued(broker)] == ["r2"]
    assert "ValueError" in caplog.text
    assert "secret text" not in caplog.text


def test_a_record_that_cannot_be_read_is_left_to_the_sweeper_and_stops_nobody(
    ledger: Ledger, broker: StubBroker, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    spoilt = ask(ledger, "spoilt")
    ask(ledger, "after")
    client.set(ledger.keys.history(spoilt), "not a list", ex=60)

    # When
    project_all(ledger, broker)

    # Then
    assert [message.kwargs["message_request_id"] for message in queued(broker)] == ["after"]
    (said,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "acme/spoilt" in said.getMessage()
    assert "WRONGTYPE" in said.getMessage()


def test_a_message_that_is_refused_for_good_is_said_once_however_often_it_is_tried(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    broker = BrokerOfOneFault(ledger, PayloadRefused("it takes no message options"))
    broker.add_middleware(AddsAnOption(), before=DispatchOnce)
    ask(ledger, "r1")
    ask(ledger, "r2")
    complained: set[Delivery] = set()
    partition = ledger.keys.partition_of("acme")
    position = Position()
    requested = [
        (logged, event)
        for logged in read_events(ledger, partition, position, block_ms=1)
        if isinstance(event := parse_event(logged.fields), MessageRequested)
    ]

    # When
    for _ in range(3):
        dispatch(ledger, broker, requested, threads=None, complained=complained)

    # Then
    assert queued(broker) == []
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 2
    assert "acme/r1: PayloadRefused: it takes no message options" in said[0]
    assert "sentry_headers" in said[1]


def test_a_partition_that_fails_on_and_on_says_so_less_and_less_often(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    caplog.set_level(logging.DEBUG)
    projector = PartitionProjector(ledger, StubBroker(), 0, lease_ms=LEASE_MS, block_ms=1)
    stopping = SetAfterWaits(9)
    ledger.store.client.set(ledger.keys.projection(0), "not a hash", ex=60)

    # When
    projector.run(stopping)

    # Then
    waits = [record for record in caplog.records if "tries again" in record.getMessage()]
    said = [place for place, record in enumerate(waits, 1) if record.levelno == logging.ERROR]
    assert said == [1, 2, 4, 8]
    assert "ResponseError" in waits[0].getMessage()


def test_it_goes_on_by_itself_after_an_outage_of_the_store(ledger: Ledger) -> None:
    # Given
    with ValkeyProcess(appendonly=True) as server:
        other = Ledger(Store(server.url), ledger.keys, ledger.timing)
        stub = StubBroker(middleware=[DispatchOnce(other)])
        declare_actor(stub)
        with projecting(other, stub):
            ask(other, "before")
            wait_until_folded(other)

            # When
            server.kill()
            server.start()
            ask(other, "after")
            wait_until(
                lambda: len(queued(stub)) == 2,
                description="the request after the outage is dispatched",
                timeout_s=20,
            )
        other.store.close()

    # Then
    assert [message.kwargs["message_request_id"] for message in queued(stub)] == [
        "before",
        "after",
    ]


def test_an_event_that_cannot_be_read_is_set_aside_with_an_alert_and_stops_nobody(
    ledger: Ledger, broker: StubBroker, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    partition = ledger.keys.partition_of("acme")
    bad = client.xadd(
        ledger.keys.requests(partition), {"event": "requested", "body": "secret text"}
    )
    ask(ledger, "after")

    # When
    project_all(ledger, broker)

    # Then
    assert [message.kwargs["message_request_id"] for message in queued(broker)] == ["after"]
    ((_, kept),) = stream(client, ledger.keys.quarantine(partition, 0))
    assert (kept["stream"], kept["id"]) == ("requests", bad)
    (alert,) = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert str(bad) in alert.getMessage()
    assert "secret text" not in caplog.text + str(kept)


def test_an_event_that_is_no_unicode_is_set_aside_and_stops_nobody(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    partition = ledger.keys.partition_of("acme")
    client.xadd(ledger.keys.outcomes(partition), {"event": "sent", "tenant": b"\xff", b"\xfe": ""})
    ask(ledger, "after")

    # When
    project_all(ledger, broker)

    # Then
    assert [message.kwargs["message_request_id"] for message in queued(broker)] == ["after"]
    ((_, kept),) = stream(client, ledger.keys.quarantine(partition, 0))
    assert kept["stream"] == "outcomes"


def test_a_server_that_lost_its_scripts_costs_no_second_dispatch(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    client.script_flush()
    ask(ledger, "r1")
    project_all(ledger, broker)
    # From here on it knows the script of a request, and not that of the event before it.
    configure(ledger, {"acme": TenantConfiguration()})
    ask(ledger, "r2")

    # When
    project_all(ledger, broker)

    # Then
    assert [message.kwargs["message_request_id"] for message in queued(broker)] == ["r1", "r2"]


def test_an_event_that_cannot_be_folded_is_set_aside_and_stops_nobody(
    ledger: Ledger, broker: StubBroker, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    ask(ledger, "before")
    spoilt = ask(ledger, "spoilt")
    ask(ledger, "after")
    client.set(ledger.keys.timeline(spoilt, 0), "not a list", ex=60)

    # When
    project_all(ledger, broker)

    # Then
    ((_, kept),) = stream(client, ledger.keys.quarantine(ledger.keys.partition_of("acme"), 0))
    assert kept["error"] == "ResponseError"
    listed = client.zrange(ledger.keys.listed("acme", "open", 0), 0, -1)
    assert sorted(listed) == ["after", "before"]
    assert "cannot fold it" in caplog.text


def test_an_event_that_a_full_store_refuses_is_waited_for_and_not_set_aside(
    ledger: Ledger,
) -> None:
    # Given
    with ValkeyProcess() as server:
        store = StoreFreedByARefusal(server.url)
        other = Ledger(store, ledger.keys, ledger.timing)
        ask(other)

        # When
        project_all(other, BrokerThatFillsTheStore(other))

        # Then
        partition = other.keys.partition_of("acme")
        assert store.client.xlen(other.keys.quarantine(partition, 0)) == 0
        assert store.client.zcard(other.keys.listed("acme", "open", 0)) == 1
        store.close()


def test_an_event_in_another_tenants_partition_is_set_aside(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    other = 1 - ledger.keys.partition_of("acme")
    client.xadd(
        ledger.keys.requests(other), {"event": "configured", "tenant": "acme", "version": "1"}
    )

    # When
    project_all(ledger, broker)

    # Then
    assert client.xlen(ledger.keys.quarantine(other, 0)) == 1
    assert not client.exists(ledger.keys.known(other))


def test_a_post_that_contradicts_the_record_is_an_alert_once(
    ledger: Ledger, broker: StubBroker, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    delivery = ask(ledger)
    reject(ledger, delivery)

    # When
    for _ in range(2):
        ledger.run(ledger.settle_sent(delivery, token="gone", receipt=RECEIPT))
    project_all(ledger, broker)
    project_all(ledger, broker)

    # Then
    (alert,) = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert "late_post of acme/r1" in alert.getMessage()


def test_a_broker_without_the_actor_is_refused_since_nothing_would_guard_its_messages(
    ledger: Ledger,
) -> None:
    # Given
    bare = StubBroker(middleware=[DispatchOnce(ledger)])

    # When
    with pytest.raises(ActorNotFound) as refused:
        Projector(ledger, bare)

    # Then
    assert "send_message" in str(refused.value)
