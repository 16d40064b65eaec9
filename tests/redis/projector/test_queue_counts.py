from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery
from projector.actor_message import QUEUE_NAME, actor_message
from projector.errors import QueueNotCountable
from projector.queue_counts import QueueCounts, queue_counts
from sandbox.servers import free_port
from tests.redis.projector.guarding import redis_broker

if TYPE_CHECKING:
    from dramatiq import Broker

    from sandbox.servers import ValkeyProcess


@pytest.fixture(params=["redis", "stub"])
def counted(request: pytest.FixtureRequest, valkey: ValkeyProcess, prefix: str) -> Broker:
    broker: Broker = StubBroker(middleware=[])
    if request.param == "redis":
        broker = redis_broker(valkey.url, namespace=f"{prefix}-queue")
    broker.declare_queue(QUEUE_NAME)
    return broker


def enqueue(broker: Broker, message_id: str) -> None:
    broker.enqueue(actor_message(Delivery("acme", "r1"), thread_ts=None, message_id=message_id))


def test_an_empty_queue_counts_nothing(counted: Broker) -> None:
    # Given
    broker = counted

    # When
    counts = queue_counts(broker, QUEUE_NAME)

    # Then
    assert counts == QueueCounts(queued=0, dead_letters=0)


def test_queued_messages_and_dead_letters_are_counted(counted: Broker) -> None:
    # Given
    for message_id in ("1", "2", "3"):
        enqueue(counted, message_id)
    consumer = counted.consume(QUEUE_NAME, prefetch=2, timeout=100)
    dead, fetched = next(consumer), next(consumer)
    assert dead is not None
    assert fetched is not None

    # When
    consumer.nack(dead)

    # Then
    assert queue_counts(counted, QUEUE_NAME) == QueueCounts(queued=2, dead_letters=1)


class CountingBroker(dramatiq.Broker):
    """Counts as RabbitmqBroker does."""

    def get_queue_message_counts(self, queue_name: str) -> tuple[int, int, int]:
        assert queue_name == QUEUE_NAME
        return (5, 4, 3)


def test_a_broker_that_counts_by_itself_is_asked() -> None:
    # Given
    broker = CountingBroker(middleware=[])

    # When
    counts = queue_counts(broker, QUEUE_NAME)

    # Then
    assert counts == QueueCounts(queued=5, dead_letters=3)


def test_a_broker_that_cannot_count_is_not_taken_for_empty() -> None:
    # Given
    broker = dramatiq.Broker(middleware=[])

    # When
    with pytest.raises(QueueNotCountable) as refused:
        queue_counts(broker, QUEUE_NAME)

    # Then
    assert "Broker" in str(refused.value)


def test_a_queue_that_does_not_answer_is_not_taken_for_empty() -> None:
    # Given
    broker = redis_broker(f"redis://127.0.0.1:{free_port()}", namespace="unused")

    # When
    with pytest.raises(LedgerUnavailable) as unavailable:
        queue_counts(broker, QUEUE_NAME)

    # Then
    assert "refused" in str(unavailable.value)
