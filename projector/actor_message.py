"""The actor message carries a reference and nothing else, and its actor is named, never imported.

So neither text nor secrets reach the queue, and this room needs none of the actors' code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq

if TYPE_CHECKING:
    from middleware.keys import Delivery

ACTOR_NAME = "send_message"
QUEUE_NAME = "slack"


def actor_message(
    delivery: Delivery, *, thread_ts: str | None, message_id: str
) -> dramatiq.Message[None]:
    kwargs = {"tenant": delivery.tenant, "message_request_id": delivery.id}
    if thread_ts is not None:
        kwargs["thread_ts"] = thread_ts
    return dramatiq.Message(
        queue_name=QUEUE_NAME,
        actor_name=ACTOR_NAME,
        args=(),
        kwargs=kwargs,
        options={},
        message_id=message_id,
    )
