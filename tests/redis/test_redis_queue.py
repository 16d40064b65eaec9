"""What a consumer fetched, or asked without an answer, costs no other worker a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq
import pytest
from dramatiq.errors import ConnectionClosed

from actors.queue import make_broker
from tests.keyspace import remove_keys
from tests.lossy_proxy import LossyProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from dramatiq import Broker, MessageProxy
    from dramatiq.broker import Consumer

    from sandbox.servers import ValkeyProcess

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


@pytest.mark.parametrize("told", ["ack", "nack"])
def test_an_answer_that_does_not_come_is_a_lost_connection(
    broker: Broker, proxy: LossyProxy, told: str
) -> None:
    # Given
    put(broker, 1)
    consumer = broker.consume(QUEUE, prefetch=1, timeout=IDLE_MS)
    message = fetched(consumer)

    # When
    proxy.stall()

    # Then
    with pytest.raises(ConnectionClosed):
        getattr(consumer, told)(message)
    with pytest.raises(ConnectionClosed):
        next(consumer)
    with pytest.raises(ConnectionClosed):
        consumer.requeue([message])
    proxy.flow()
    getattr(consumer, told)(message)
    assert everything(broker) == set()
