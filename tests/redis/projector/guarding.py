"""Brokers whose actor is guarded and does nothing: these tests look at the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from middleware.delivery_key import DeliveryKey
from projector.actor_message import ACTOR_NAME, QUEUE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable


def redis_broker(url: str, *, namespace: str) -> RedisBroker:
    # Its constructor carries no types.
    make: Callable[..., RedisBroker] = RedisBroker
    return make(url=url, namespace=namespace, middleware=[])


def declare_actor(broker: dramatiq.Broker) -> None:
    def send_message(tenant: str, message_request_id: str, thread_ts: str | None = None) -> None:
        """Never run: these tests look at the queue."""

    key = DeliveryKey(
        tenant="tenant", id="message_request_id", thread="thread_ts", needs_acceptance=True
    )
    declare: Callable[..., dramatiq.Actor[..., Any]] = dramatiq.actor(
        broker=broker,
        actor_name=ACTOR_NAME,
        queue_name=QUEUE_NAME,
        dispatch_once=key,
    )
    declare(send_message)
