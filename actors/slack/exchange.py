"""One request to Slack and what is certain of it: it was answered, or none of it ever left.

Anything else raises `FateUnknown`. No error of slack_sdk or aiohttp gets out of here, nor hangs on
one that does, because theirs hold the token, the request and the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    InvalidURL,
)
from slack_sdk.errors import SlackApiError

from actors.slack.answer_deadline import answer_deadline
from actors.slack.errors import FateUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_client import AsyncWebClient

    from actors.slack.codes import SlackCode
    from actors.slack.wire import Wire

OK = 200
TOO_MANY_REQUESTS = 429

# Whole seconds up to an hour. Slack documents seconds; a date, or a wait that would outlast most
# deadlines, is not believed and the ledger backs off by itself.
_RETRY_AFTER_S = re.compile(r"[1-9][0-9]{0,3}")
_RETRY_AFTER_MAX_S = 3600

# What `missing_scope` names.
_SCOPES = re.compile(r"[a-z0-9_.:,-]{1,200}")

# In this order: each is also an instance of one further down.
_WHILE_CONNECTING: tuple[tuple[type[Exception], str], ...] = (
    (ClientConnectorDNSError, "dns_failed"),
    (ClientConnectorCertificateError, "certificate_refused"),
    (ClientConnectorSSLError, "tls_failed"),
    (ClientProxyConnectionError, "proxy_unreachable"),
    (ClientHttpProxyError, "proxy_refused"),
    (ClientConnectorError, "connect_failed"),
    (TimeoutError, "connect_timeout"),
    # Of a proxy, too; a redirect to one has been asked for by bytes that left.
    (InvalidURL, "address_invalid"),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """`data` is whatever the body held, None if it was not JSON; a 429 has none."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    data: object = field(repr=False)

    @property
    def retry_after_ms(self) -> int | None:
        given = self.headers.get("Retry-After", "").strip()
        if not _RETRY_AFTER_S.fullmatch(given) or int(given) > _RETRY_AFTER_MAX_S:
            return None
        return int(given) * 1000

    def sentence(self, meaning: SlackCode) -> str:
        """What to do about the refusal that this answer is."""
        match self.data:
            case {"needed": str(needed)} if _SCOPES.fullmatch(needed):
                return f"{meaning.sentence} needed={needed}"
            case _:
                return meaning.sentence


@dataclass(frozen=True, slots=True)
class NothingLeft:
    """Not one byte of the request was written, nor will be."""

    reason: str


async def exchange(
    client: AsyncWebClient,
    method: str,
    *,
    token: str,
    json: dict[str, object] | None = None,
    form: dict[str, str] | None = None,
    wire: Wire,
    within_s: float,
) -> Answered | NothingLeft:
    """The arguments are JSON, or a form where Slack takes nothing else.

    Raises FateUnknown; cancellation and interrupts pass, and are unknown too.
    """
    data: object = None
    failed: str | None = None
    connecting: str | None = None
    try:
        with wire.in_use():
            async with answer_deadline(within_s, wire):
                response = await client.api_call(
                    method, json=json, data=form, headers={"Authorization": f"Bearer {token}"}
                )
        data = response.data
    except SlackApiError as refused:
        # Its response is aiohttp's own, without data, if the body was not JSON.
        data = getattr(refused.response, "data", None)
    except Exception as fault:  # noqa: BLE001 - its fate is decided below: unknown unless proven
        failed = type(fault).__name__
        connecting = _connecting(fault)
    # Outside the handlers, where nothing that was caught becomes the context of what is raised.
    if wire.status == TOO_MANY_REQUESTS:
        return Answered(TOO_MANY_REQUESTS, wire.headers, None)
    if failed is None and wire.status is not None:
        return Answered(wire.status, wire.headers, data)
    if not wire.may_have_left:
        if wire.post_by.passed():
            return NothingLeft("post_by_passed")
        if wire.stale:
            return NothingLeft("connection_stale")
        if connecting is not None:
            return NothingLeft(connecting)
    raise FateUnknown(failed or "no_status") from None


def _connecting(fault: Exception) -> str | None:
    """None for what is no failure to connect: a fault of ours must not be tried for ever."""
    return next((reason for kind, reason in _WHILE_CONNECTING if isinstance(fault, kind)), None)
