"""The application with an actor of which nothing would record what became of it."""

from __future__ import annotations

import dramatiq

from actors.app import broker
from actors.send_message import DELIVERY_KEY


@dramatiq.actor(broker=broker, dispatch_once=DELIVERY_KEY)
def never_settled(tenant: str, message_request_id: str, thread_ts: str | None = None) -> None:
    raise AssertionError(tenant, message_request_id, thread_ts)
