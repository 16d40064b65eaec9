"""`SlackConnection`: the gateway of a worker, closed on its event loop before that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import Middleware

if TYPE_CHECKING:
    from dramatiq import Broker, Worker

    from actors.slack.gateway import SlackGateway


class SlackConnection(Middleware):
    """Hands the gateway to the actors of its broker."""

    def __init__(self, gateway: SlackGateway) -> None:
        self.gateway = gateway

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        loop_thread = get_event_loop_thread()
        if loop_thread is not None:
            loop_thread.run_coroutine(self.gateway.close())


def gateway_of(broker: Broker) -> SlackGateway:
    """Raise LookupError for a broker that was given none."""
    for middleware in broker.middleware:
        if isinstance(middleware, SlackConnection):
            return middleware.gateway
    raise LookupError("this broker has no SlackConnection")
