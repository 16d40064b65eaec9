"""The send actor: what Slack is told for one delivery; whether and when is the claim's to say."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dramatiq
from pydantic import BaseModel, ConfigDict, ValidationError

from actors.slack.message import SlackMessage
from actors.slack_connection import gateway_of
from actors.templates import render
from middleware.delivery_key import DeliveryKey
from middleware.errors import LedgerUnavailable, PayloadRefused
from middleware.fates import CannotTell, LookAnswer, NotNow, Prepared, Ready, Refused
from middleware.send_lock import current_async_claim
from projector.actor_message import ACTOR_NAME, QUEUE_NAME
from projector.codes import MessageRequestId, Tenant
from projector.configuration import resolve
from projector.errors import EventUnreadable
from projector.message_request import ThreadTs
from projector.resolution import ForDelivery, read_for_delivery
from projector.sentences import sentence_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)


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
        tenant: str,
        message_request_id: str,
        thread_ts: str | None = None,  # noqa: ARG001 - DispatchOnce reads it into the record
    ) -> None:
        """Post one message request to Slack; see `projector.request` for how to ask for it."""
        claim = current_async_claim()
        ledger = claim.holding.ledger
        gateway = gateway_of(actor.broker)

        async def prepare() -> Prepared:
            try:
                found = await read_for_delivery(ledger, tenant, message_request_id)
            except LedgerUnavailable:
                # It is the store that must come back: the request has used up nothing.
                return NotNow("ledger_unavailable")
            except EventUnreadable as unreadable:
                # While versions change, a worker of the newer one will read it.
                log.error("delivery.request_unreadable delivery=%s: %s", claim.delivery, unreadable)
                return NotNow("request_unreadable")
            addressed = address(found, thread_ts=claim.thread_ts, marker=claim.marker)
            if isinstance(addressed, Refused):
                return addressed
            authorized = await gateway.authorize(addressed.target["team"], addressed.message)
            if isinstance(authorized, NotNow):
                return authorized
            return Ready(addressed.target, authorized)

        await claim.perform(prepare, gateway.post, look)

    declare: Callable[..., dramatiq.Actor[..., Any]] = dramatiq.actor(
        broker=broker,
        actor_name=ACTOR_NAME,
        queue_name=QUEUE_NAME,
        max_retries=0,
        dispatch_once=DELIVERY_KEY,
        send_lock=DELIVERY_KEY,
    )
    actor = declare(send_message)
    return actor


@dataclass(frozen=True, slots=True)
class Addressed:
    """`target` says where, `message` what."""

    target: Mapping[str, str]
    message: SlackMessage


def address(
    found: ForDelivery | None, *, thread_ts: str | None, marker: str
) -> Addressed | Refused:
    """Resolve the codes and render. `thread_ts` is the thread set after the request, if any."""
    if found is None:
        return Refused("request_missing", "The text of this request is no longer stored.")
    asked = found.request
    resolved = resolve(
        found.fields,
        channel_code=asked.channel_code,
        template_code=asked.template_code,
        workspace_code=asked.workspace_code,
    )
    if isinstance(resolved, Refused):
        return resolved
    rendered = render(resolved.template, asked.variables)
    if isinstance(rendered, Refused):
        return rendered
    target = {"team": resolved.team_id, "channel": resolved.channel_id}
    thread = thread_ts or asked.thread_ts
    if thread is not None:
        target["thread_ts"] = thread
    message = SlackMessage(text=rendered.text, blocks=rendered.blocks, marker=marker)
    return Addressed(target, message)


async def look(_target: Mapping[str, str], _intent_at_ms: int) -> LookAnswer:
    """Slack's history is not read yet, so a person must look."""
    return CannotTell("history_not_read", final=True)
