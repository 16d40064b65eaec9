"""A delivery reads its request and what its codes name in one round trip, just before it is posted.

Codes are resolved this late on purpose: what waits follows the configuration of today.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pydantic import ValidationError

from middleware.keys import Delivery
from middleware.script import Call, Reply, Script
from projector.configuration import fields_to_read
from projector.errors import EventUnreadable
from projector.message_request import MessageRequest, parse_stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.ledger import Ledger

_RESOLVE = Script.load("projector", "resolve")


@dataclass(frozen=True, slots=True)
class ForDelivery:
    """`fields` is what `configuration.resolve` takes; None stands for what is not configured."""

    request: MessageRequest
    fields: Mapping[str, str | None]


async def read_for_delivery(
    ledger: Ledger, tenant: str, message_request_id: str
) -> ForDelivery | None:
    """None when there is no such request, or it was sent, which removes its text.

    Raises LedgerUnavailable, and EventUnreadable for a body that this version cannot read.
    """
    delivery = Delivery(tenant, message_request_id)
    names = (ledger.keys.request(delivery), ledger.keys.config(tenant))
    return await ledger.arun(Call(_RESOLVE, names, (), partial(_decode, delivery)))


def _decode(delivery: Delivery, reply: Reply) -> ForDelivery | None:
    match reply:
        case ["unknown"]:
            return None
        case ["unreadable"]:
            raise EventUnreadable(["body: not an object of JSON"])
        case ["known", body, *values]:
            request = _parse(body, delivery)
            names = fields_to_read(
                channel_code=request.channel_code, template_code=request.template_code
            )
            present = (value or None for value in values)
            return ForDelivery(request, dict(zip(names, present, strict=True)))
    raise AssertionError(f"resolve.lua does not answer {reply[:1]!r}")


def _parse(body: str, delivery: Delivery) -> MessageRequest:
    try:
        return parse_stored(body, delivery)
    except ValidationError as error:
        kinds = [details["type"] for details in error.errors(include_input=False)]
    raise EventUnreadable(kinds)
