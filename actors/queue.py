"""The queue is a hint: its client repeats nothing, for the ledger brings back what got lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dramatiq.middleware import AsyncIO, default_middleware
from redis.backoff import NoBackoff
from redis.retry import Retry

from actors.redis_queue import RedisQueue
from middleware.connections import client_for_threads

if TYPE_CHECKING:
    import redis
    from dramatiq import Broker


def make_broker(url: str, *, prefix: str) -> Broker:
    """A broker that connects when first used; all its Redis keys are in one slot."""
    middleware = [*(each() for each in default_middleware), AsyncIO()]
    if url.startswith("amqp"):
        # Needs dramatiq's own extra, `dramatiq[rabbitmq]`.
        from dramatiq.brokers.rabbitmq import RabbitmqBroker  # noqa: PLC0415

        return RabbitmqBroker(url=url, middleware=middleware)
    namespace = f"{prefix}:{{queue}}"
    return RedisQueue(client=_client(url), namespace=namespace, middleware=middleware)


def _client(url: str) -> redis.Redis:
    # A repeated command of the queue makes a second copy of a message, which the ledger would
    # refuse; but without a repetition there is nothing to refuse.
    return client_for_threads(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=5.0,
        socket_connect_timeout=2.0,
        health_check_interval=30,
        protocol=2,
    )
