"""The send actor: what Slack is told and asked for one delivery; whether and when is the claim's to
say.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import dramatiq
from pydantic import BaseModel, ConfigDict, ValidationError

from actors.addressing import Addressed, addressed_now
from actors.looking import look_for
from actors.slack_connection import gateway_of
from middleware.delivery_key import DeliveryKey
from middleware.errors import PayloadRefused
from middleware.fates import NotNow, Prepared, Ready
from middleware.send_lock import current_async_claim
from middleware.timing import MAX_LEASE_MS, MINUTE_MS
from projector.actor_message import ACTOR_NAME, QUEUE_NAME
from projector.codes import MessageRequestId, Tenant
from projector.message_request import ThreadTs
from projector.sentences import sentence_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Longer than any lease that the environment may set; Dramatiq's own is as long as the longest.
_TIME_LIMIT_MS = MAX_LEASE_MS + MINUTE_MS


class ActorMessage(BaseModel):
    """All that may stand on the queue: a reference, and a thread for the reply."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: Tenant
    message_request_id: MessageRequestId
    thread_ts: ThreadTs | None = None


def check_reference(arguments: Mapping[str, Any]) -> None:
    """Raise PayloadRefused, which names what is wrong and no value: that may be a text."""
    problems = []
    try:
        ActorMessage.model_validate(arguments)
    except ValidationError as error:
        problems = [
            f"{details['loc'][0]}: {sentence_for(details)}"
            for details in error.errors(include_url=False)
        ]
    # Outside the handler, where pydantic's error, which shows the values, is no context of it.
    if problems:
        # Not a ValueError, whose words the guard withholds since it cannot know what they hold.
        raise PayloadRefused("; ".join(problems))


DELIVERY_KEY = DeliveryKey(
    tenant="tenant",
    id="message_request_id",
    thread="thread_ts",
    needs_acceptance=True,
    payload=check_reference,
)


def declare_send_message(broker: dramatiq.Broker) -> dramatiq.Actor[..., Any]:
    """The actor on this broker, which must have AsyncIO, DispatchOnce, SendLock and
    SlackConnection.
    """

    async def send_message(
        tenant: str,  # noqa: ARG001 - the claim names the delivery
        message_request_id: str,  # noqa: ARG001 - as above
        thread_ts: str | None = None,  # noqa: ARG001 - DispatchOnce reads it into the record
    ) -> None:
        """Post one message request to Slack; see `projector.request` for how to ask for it."""
        claim = current_async_claim()
        gateway = gateway_of(actor.broker)

        async def prepare() -> Prepared:
            addressed = await addressed_now(claim)
            if not isinstance(addressed, Addressed):
                return addressed
            authorized = await gateway.authorize(addressed.target["team"], addressed.message)
            if isinstance(authorized, NotNow):
                return authorized
            return Ready(addressed.target, authorized)

        await claim.perform(prepare, gateway.post, partial(look_for, claim, gateway))

    # A service's own broker may limit no times.
    limits: dict[str, Any] = (
        {"time_limit": _TIME_LIMIT_MS} if "time_limit" in broker.actor_options else {}
    )
    declare: Callable[..., dramatiq.Actor[..., Any]] = dramatiq.actor(
        broker=broker,
        actor_name=ACTOR_NAME,
        queue_name=QUEUE_NAME,
        max_retries=0,
        dispatch_once=DELIVERY_KEY,
        send_lock=DELIVERY_KEY,
        **limits,
    )
    actor = declare(send_message)
    return actor
