"""One request to Slack and what is certain of it: it was answered, or none of it ever left.

Anything else raises `FateUnknown`. No error of slack_sdk or aiohttp gets out of here, nor hangs on
one that does, because theirs hold the token, the request and the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
)
from slack_sdk.errors import SlackApiError

from actors.slack.answer_deadline import answer_deadline
from actors.slack.errors import FateUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_client import AsyncWebClient

    from actors.slack.session import Wire

TOO_MANY_REQUESTS = 429

# In this order: each is also an instance of one further down.
_WHILE_CONNECTING: tuple[tuple[type[Exception], str], ...] = (
    (ClientConnectorDNSError, "dns_failed"),
    (ClientConnectorCertificateError, "certificate_refused"),
    (ClientConnectorSSLError, "tls_failed"),
    (ClientProxyConnectionError, "proxy_unreachable"),
    (ClientHttpProxyError, "proxy_refused"),
    (ClientConnectorError, "connect_failed"),
    (TimeoutError, "connect_timeout"),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """`data` is whatever the body held, None if it was not JSON; a 429 has none."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    data: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class NothingLeft:
    """Not one byte of the request was written, nor will be."""

    reason: str


async def exchange(
    client: AsyncWebClient,
    method: str,
    *,
    token: str,
    arguments: dict[str, object],
    wire: Wire,
    within_s: float,
) -> Answered | NothingLeft:
    """Raises FateUnknown; cancellation and interrupts pass, and are unknown too."""
    data: object = None
    failed: str | None = None
    connecting: str | None = None
    try:
        with wire.in_use():
            async with answer_deadline(within_s, wire):
                response = await client.api_call(
                    method, json=arguments, headers={"Authorization": f"Bearer {token}"}
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
        if connecting is not None:
            return NothingLeft(connecting)
    raise FateUnknown(failed or "no_status") from None


def _connecting(fault: Exception) -> str | None:
    """None for what is no failure to connect: a fault of ours must not be tried for ever."""
    return next((reason for kind, reason in _WHILE_CONNECTING if isinstance(fault, kind)), None)
