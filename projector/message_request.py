"""A message request that passed here is valid for good, and two equal ones have one fingerprint.

Equal means: the same after parsing, so the order of keys, white space, the zone of a time and an
explicit null or default make no difference.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from projector.codes import Code, MessageRequestId, Tenant
from projector.errors import FieldProblem, RequestRefused
from projector.json_text import compact_json, json_flaw, read_json_object, shown
from projector.sentences import plain, sentence_for
from projector.utc import UtcMs, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.keys import Delivery

VARIABLES_MAX_BYTES = 64 * 1024
SEND_AT_MAX_DAYS = 366
# Every request ends some day, so one that waits for as long as it may has the same time again.
EXPIRES_AT_MAX_DAYS = 2 * SEND_AT_MAX_DAYS
# A claim is cheap, a message that kills its worker is not.
MAX_ATTEMPTS_LIMIT = 50

_NAME = {"tenant", "message_request_id"}
_THREAD_TS = re.compile(r"[0-9]{10}\.[0-9]{6}")
_DAY_MS = 24 * 3600 * 1000

# Names that the interface knows and this version cannot keep yet: better refused than ignored.
_NOT_BUILT = ("reply_to", "update_of", "delete_of")


def _thread_ts(text: str) -> str:
    if not _THREAD_TS.fullmatch(text):
        raise plain("must be a timestamp of Slack's, such as 1700000000.000100")
    return text


def _variables(value: object) -> object:
    if not isinstance(value, dict):
        return value
    flaw = json_flaw(value, max_nodes=VARIABLES_MAX_BYTES)
    if flaw:
        raise plain(flaw)
    size = len(compact_json(value).encode())
    if size > VARIABLES_MAX_BYTES:
        raise plain(f"take {size} bytes as JSON, {VARIABLES_MAX_BYTES} at most are allowed")
    return value


ThreadTs = Annotated[str, Strict(), AfterValidator(_thread_ts)]
Variables = Annotated[dict[str, JsonValue], BeforeValidator(_variables)]


class MessageRequest(BaseModel):
    """What a service asks for. None means "not asked for": the system's own default applies.

    Times are milliseconds since 1970, UTC; on the wire they are `send_at` and `expires_at`,
    RFC 3339 with a zone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: Tenant
    message_request_id: MessageRequestId
    channel_code: Code
    template_code: Code
    variables: Variables
    workspace_code: Code | None = None
    thread_ts: ThreadTs | None = None
    send_at_ms: UtcMs | None = Field(default=None, alias="send_at")
    expires_at_ms: UtcMs | None = Field(default=None, alias="expires_at")
    priority: Literal["high", "normal", "low"] = "normal"
    max_attempts: Annotated[int, Strict(), Field(ge=1, le=MAX_ATTEMPTS_LIMIT)] | None = None

    @field_validator("send_at_ms", "expires_at_ms")
    @classmethod
    def _within_the_horizon(cls, value: int | None, info: ValidationInfo) -> int | None:
        # Only a new request has a `now`; one read back from the store was checked when it was new.
        now_ms = (info.context or {}).get("now_ms")
        days = SEND_AT_MAX_DAYS if info.field_name == "send_at_ms" else EXPIRES_AT_MAX_DAYS
        if value is not None and now_ms is not None and value > now_ms + days * _DAY_MS:
            raise plain(f"is more than {days} days ahead")
        return value

    @field_validator("expires_at_ms")
    @classmethod
    def _after_send_at(cls, value: int | None, info: ValidationInfo) -> int | None:
        send_at_ms = info.data.get("send_at_ms")
        if value is not None and send_at_ms is not None and value <= send_at_ms:
            raise plain("must be later than send_at")
        # An expiry in the past is not refused: the same request sent again must stay a duplicate.
        return value

    @cached_property
    def _canonical_json(self) -> str:
        present = self.model_dump(by_alias=True, exclude_defaults=True, exclude=_NAME)
        for name in ("send_at", "expires_at"):
            if name in present:
                present[name] = utc_text(present[name])
        return compact_json(present)

    def canonical_json(self) -> str:
        """What is asked for, without its name (tenant and id), which every key repeats.

        Sorted keys, no white space, nothing absent or default; `parse_stored` reads it.
        """
        return self._canonical_json

    def fingerprint(self) -> str:
        return fingerprint_of(self.canonical_json())


def fingerprint_of(canonical_json: str) -> str:
    """SHA-256 in 43 characters of URL-safe base64."""
    digest = hashlib.sha256(canonical_json.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def parse_request(line: str | bytes | Mapping[str, object], *, now_ms: int) -> MessageRequest:
    """Raises `RequestRefused` with every problem found, each naming its field and no value."""
    data = read_json_object(line) if isinstance(line, str | bytes) else dict(line)
    problems = [
        FieldProblem(name, "is not supported yet")
        for name in _NOT_BUILT
        if data.pop(name, None) is not None
    ]
    known = {field.alias or name for name, field in MessageRequest.model_fields.items()}
    # An explicit null is the same as nothing; under an unknown name it is still an unknown name.
    asked = {name: value for name, value in data.items() if value is not None or name not in known}
    try:
        request = MessageRequest.model_validate(asked, context={"now_ms": now_ms})
    except ValidationError as error:
        problems += [
            FieldProblem(_field_of(details["loc"]), sentence_for(details))
            for details in error.errors(include_url=False)
        ]
        raise RequestRefused(problems) from None
    if problems:
        raise RequestRefused(problems)
    return request


def parse_stored(canonical_json: str, delivery: Delivery) -> MessageRequest:
    """Reads back what `canonical_json()` wrote; anything else raises pydantic's own error."""
    asked = json.loads(canonical_json)
    if isinstance(asked, dict):
        asked |= {"tenant": delivery.tenant, "message_request_id": delivery.id}
    return MessageRequest.model_validate(asked)


def _field_of(loc: tuple[int | str, ...]) -> str | None:
    return shown(str(loc[0])) if loc else None
