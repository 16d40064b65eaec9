"""What a consumer fetched, or asked without an answer, costs no other worker a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq
import pytest
from dramatiq.errors import ConnectionClosed

from actors.queue import make_broker
from sandbox.servers import HOST, ValkeyProcess
from tests.keyspace import remove_keys
from tests.lossy_proxy import LossyProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from dramatiq import Broker, MessageProxy
    from dramatiq.broker import Consumer

QUEUE = "slack"
IDLE_MS = 10


@pytest.fixture
def namespace(prefix: str, client: redis.Redis) -> Iterator[str]:
    """What is left on the queue is swept."""
    yield prefix
    remove_keys(client, f"{prefix}:{{queue}}")


@pytest.fixture
def proxy(valkey: ValkeyProcess) -> Iterator[LossyProxy]:
    with LossyProxy(valkey.port) as made:
        yield made


@pytest.fixture
def broker(proxy: LossyProxy, namespace: str) -> Iterator[Broker]:
    """Its client does not wait long for an answer."""
    made = make_broker(f"{proxy.url}?socket_timeout=0.2", prefix=namespace)
    made.declare_queue(QUEUE)
    yield made
    made.close()


def put(broker: Broker, count: int) -> list[str]:
    messages = [
        dramatiq.Message[None](
            queue_name=QUEUE, actor_name="send", args=(), kwargs={"number": number}, options={}
        )
        for number in range(count)
    ]
    return [broker.enqueue(message).message_id for message in messages]


def fetched(consumer: Consumer) -> MessageProxy:
    message = next(consumer)
    assert message is not None
    return message


def everything(broker: Broker) -> set[str]:
    """What another worker finds on the queue."""
    consumer = broker.consume(QUEUE, prefetch=100, timeout=IDLE_MS)
    return {message.message_id for message in iter(consumer.__next__, None)}


def test_what_was_fetched_but_never_handed_to_a_thread_goes_back(broker: Broker) -> None:
    # Given
    ids = put(broker, 4)
    consumer = broker.consume(QUEUE, prefetch=4, timeout=IDLE_MS)
    running = fetched(consumer)

    # When
    consumer.close()

    # Then
    assert everything(broker) == set(ids) - {running.message_id}


def test_closing_without_the_queue_leaves_it_to_the_ledger(
    broker: Broker, proxy: LossyProxy
) -> None:
    # Given
    put(broker, 4)
    consumer = broker.consume(QUEUE, prefetch=4, timeout=IDLE_MS)
    fetched(consumer)

    # When
    proxy.down()

    # Then
    with pytest.raises(ConnectionClosed):
        consumer.close()


def test_an_answer_that_does_not_come_is_a_lost_connection(
    broker: Broker, proxy: LossyProxy
) -> None:
    # Given
    put(broker, 1)
    consumer = broker.consume(QUEUE, prefetch=1, timeout=IDLE_MS)
    message = fetched(consumer)

    # When
    proxy.stall()

    # Then
    with pytest.raises(ConnectionClosed):
        consumer.nack(message)
    with pytest.raises(ConnectionClosed):
        next(consumer)
    with pytest.raises(ConnectionClosed):
        consumer.requeue([message])
    proxy.flow()
    consumer.nack(message)
    assert everything(broker) == set()


def test_what_was_worked_on_is_acknowledged_with_the_next_fetch(
    broker: Broker, client: redis.Redis, namespace: str
) -> None:
    # Given
    put(broker, 3)
    consumer = broker.consume(QUEUE, prefetch=2, timeout=IDLE_MS)
    for message in [fetched(consumer), fetched(consumer)]:
        consumer.ack(message)
    before = client.hlen(f"{namespace}:{{queue}}:{QUEUE}.msgs")

    # When
    last = fetched(consumer)

    # Then
    assert before == 3
    assert client.hlen(f"{namespace}:{{queue}}:{QUEUE}.msgs") == 1
    consumer.ack(last)
    consumer.close()
    assert leftovers(client, namespace) == []


def test_an_acknowledgement_that_met_a_lost_connection_is_made_by_the_next_consumer(
    broker: Broker, proxy: LossyProxy, client: redis.Redis, namespace: str
) -> None:
    # Given
    put(broker, 1)
    consumer = broker.consume(QUEUE, prefetch=1, timeout=IDLE_MS)
    consumer.ack(fetched(consumer))
    proxy.stall()
    with pytest.raises(ConnectionClosed):
        next(consumer)
    proxy.flow()

    # When
    assert next(broker.consume(QUEUE, prefetch=1, timeout=IDLE_MS)) is None

    # Then
    assert leftovers(client, namespace) == []


def test_a_store_that_refuses_to_write_is_waited_out_like_one_that_is_away() -> None:
    # Given
    with ValkeyProcess() as server, server.client() as own_client:
        broker = make_broker(server.url, prefix="refusing")
        put(broker, 3)
        consumer = broker.consume(QUEUE, prefetch=3, timeout=IDLE_MS)
        consumer.ack(fetched(consumer))
        message = fetched(consumer)

        # When
        own_client.replicaof(HOST, "1")

        # Then
        with pytest.raises(ConnectionClosed):
            consumer.nack(message)
        with pytest.raises(ConnectionClosed):
            consumer.requeue([message])
        with pytest.raises(ConnectionClosed):
            consumer.close()
        with pytest.raises(ConnectionClosed):
            next(broker.consume(QUEUE, prefetch=1, timeout=IDLE_MS))
        broker.close()


def test_a_message_that_cannot_be_read_keeps_no_other_from_going_back(
    broker: Broker, client: redis.Redis, namespace: str
) -> None:
    # Given
    put(broker, 1)
    for number in range(2):
        client.rpush(f"{namespace}:{{queue}}:{QUEUE}", f"broken-{number}")
        client.hset(f"{namespace}:{{queue}}:{QUEUE}.msgs", f"broken-{number}", "not a message")
    (last,) = put(broker, 1)
    consumer = broker.consume(QUEUE, prefetch=4, timeout=IDLE_MS)
    fetched(consumer)

    # When
    consumer.close()

    # Then
    assert everything(broker) == {last}


def leftovers(client: redis.Redis, namespace: str) -> list[str]:
    """Messages, and what workers hold: all but the workers' heartbeats."""
    found = client.scan_iter(match=f"{namespace}:{{queue}}:*")
    return [key for key in found if not key.endswith("__heartbeats__")]


def test_what_cannot_be_enqueued_is_a_lost_connection(broker: Broker, proxy: LossyProxy) -> None:
    # Given
    put(broker, 1)

    # When
    proxy.stall()

    # Then
    with pytest.raises(ConnectionClosed):
        put(broker, 1)
    proxy.down()
    with pytest.raises(ConnectionClosed):
        put(broker, 1)
