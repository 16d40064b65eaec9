"""Events are immutable facts: what the log holds is parsed before anything acts on it.

An event that this version cannot read raises `EventUnreadable`, which repeats no value of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)

from middleware.keys import Delivery
from projector.codes import MessageRequestId, Tenant
from projector.errors import EventUnreadable
from projector.json_text import shown
from projector.message_request import MessageRequest, parse_stored

OutcomeKind = Literal[
    "sent",
    "rejected",
    "expired",
    "cancelled",
    "unproven",
    "late_post",
    "duplicate_post",
    "redriven",
]


def _read_body(body: object, info: ValidationInfo) -> object:
    name = (info.data.get("tenant"), info.data.get("message_request_id"))
    match body, name:
        case str(), (str(tenant), str(id_)):
            return parse_stored(body, Delivery(tenant, id_))
        case _:
            return body


def _read_receipt(receipt: object) -> object:
    return json.loads(receipt) if isinstance(receipt, str) and receipt else None


def _empty_is_none(text: object) -> object:
    return None if text == "" else text


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: Tenant


class MessageRequested(_Event):
    """A service asked for a message, and was told that it is accepted."""

    event: Literal["requested"]
    message_request_id: MessageRequestId = Field(alias="id")
    request: Annotated[MessageRequest, BeforeValidator(_read_body)] = Field(alias="body")


class TenantConfigured(_Event):
    """The tenant's configuration became this version; what it says is kept in its own hash."""

    event: Literal["configured"]
    version: int


class Outcome(_Event):
    """How a request ended, without text; `late_post` and `duplicate_post` need a person.

    `redriven` says that a person took its end back: it is open again, and another outcome follows.
    `by` and `why` are a person's, who redrove, cancelled or marked it. `attempts` is the number of
    POSTs tried, `error` a code, `reason` a sentence, and `receipt` what Slack answered: `channel`
    and `ts`.
    """

    event: OutcomeKind
    message_request_id: MessageRequestId = Field(alias="id")
    at_ms: int = Field(alias="at")
    attempts: int
    error: Annotated[str | None, BeforeValidator(_empty_is_none)]
    reason: Annotated[str | None, BeforeValidator(_empty_is_none)]
    receipt: Annotated[Mapping[str, str] | None, BeforeValidator(_read_receipt)]
    by: str | None = None
    why: str | None = None


Event = MessageRequested | TenantConfigured | Outcome

_EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


def parse_event(fields: Mapping[str, str]) -> Event:
    """Raise EventUnreadable for anything that is not one of the events above."""
    try:
        return _EVENTS.validate_python(fields)
    except ValidationError as error:
        flaws = [
            f"{shown(str(details['loc'][-1])) if details['loc'] else 'event'}: {details['type']}"
            for details in error.errors(include_url=False, include_context=False)
        ]
    except RecursionError:
        flaws = ["body: nested too deeply"]
    raise EventUnreadable(flaws)
