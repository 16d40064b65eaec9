"""The HTTP session of one event loop: a request is written once, in time, and to Slack only.

What its tracing hooks do was tried on aiohttp 3.14.5, Python 3.11 to 3.13: `on_request_chunk_sent`
is the last call before the first byte (headers wait for the body and leave with it in one write,
after connect, proxy and TLS). On 3.11 the loop still runs other tasks after
`on_request_headers_sent`; an error in `on_connection_create_end` or `on_connection_reuseconn`
leaves the socket open.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from actors.message_limits import json_as_sent
from actors.slack.connections import QuietConnector, QuietProtocol
from actors.slack.errors import RedirectForbidden
from actors.slack.sockets import socket_factory
from actors.slack.wire import WIRE

if TYPE_CHECKING:
    from types import SimpleNamespace

# A connection idle for longer may have been dropped by something on the way without a word, and
# the POST written to it would have an unknown fate; a new one costs a TLS handshake.
REUSE_WITHIN_S = 9.0

# Of the deadline, for connect and TLS: the rest must do for Slack to answer.
_CONNECT_SHARE = 0.5

# More posts than this at a time wait for a connection, with nothing sent.
_CONNECTIONS = 100

# slack_sdk logs the body of each request and answer at DEBUG. This logger belongs to no hierarchy,
# so that no logging configuration can turn it on.
_SILENT = logging.Logger("silenced", level=logging.CRITICAL + 1)  # noqa: LOG001 - as said above


class SlackSession:
    """Made anew on each event loop that uses it, one loop at a time; close it on its loop."""

    def __init__(
        self, *, base_url: str, post_deadline_ms: int, reuse_within_s: float = REUSE_WITHIN_S
    ) -> None:
        self._base_url = base_url
        self._proxy = _proxy_for(base_url)
        self._deadline_ms = post_deadline_ms
        self._connect_s = post_deadline_ms / 1000 * _CONNECT_SHARE
        self._reuse_within_s = reuse_within_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    def client(self) -> AsyncWebClient:
        """Slack's client without a token, on the running loop: hand the token to each call."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._abandon()
            self._loop = loop
            self._http = self._open()
            self._client = AsyncWebClient(
                base_url=self._base_url,
                session=self._http,
                # The default handlers post again after a dropped connection.
                retry_handlers=[],
                user_agent_prefix="postonce",
                logger=_SILENT,
            )
            # The client's own look at the environment knows no NO_PROXY.
            self._client.proxy = self._proxy
        return self._client

    async def close(self) -> None:
        http, self._http, self._client, self._loop = self._http, None, None, None
        if http is not None:
            await http.close()

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=QuietConnector(
                handed_out=_note_connection,
                ssl=_tls() if self._base_url.startswith("https:") else True,
                limit=_CONNECTIONS,
                keepalive_timeout=self._reuse_within_s,
                socket_factory=socket_factory(unacknowledged_ms=self._deadline_ms),
                timeout_ceil_threshold=math.inf,
            ),
            timeout=aiohttp.ClientTimeout(
                # `answer_deadline` ends it, and knows better when.
                total=None,
                sock_connect=self._connect_s,
                # Otherwise a deadline over 5 s is rounded up to the loop's next full second.
                ceil_threshold=math.inf,
            ),
            trace_configs=[_hooks()],
            cookie_jar=aiohttp.DummyCookieJar(),
            json_serialize=json_as_sent,
            # aiohttp would look into the environment and .netrc in a thread, at each POST.
            trust_env=False,
        )

    def _abandon(self) -> None:
        """Lets go of a session whose loop ended without `close`; its sockets end with the loop."""
        if self._loop is not None and self._loop.is_running():
            raise RuntimeError("a Slack session serves one event loop at a time")
        if self._http is not None:
            self._http.detach()


def _hooks() -> aiohttp.TraceConfig:
    hooks = aiohttp.TraceConfig()
    hooks.on_request_chunk_sent.append(_before_bytes)
    hooks.on_request_redirect.append(_forbid_redirect)
    hooks.on_request_end.append(_note_answer)
    return hooks


def _note_connection(protocol: QuietProtocol) -> None:
    WIRE.get().protocol = protocol


async def _before_bytes(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    _sent: aiohttp.TraceRequestChunkSentParams,
) -> None:
    WIRE.get().let_out()


async def _forbid_redirect(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    _redirect: aiohttp.TraceRequestRedirectParams,
) -> None:
    raise RedirectForbidden


async def _note_answer(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    answer: aiohttp.TraceRequestEndParams,
) -> None:
    """Status and headers are known here even if the body never comes, or cannot be read."""
    wire = WIRE.get()
    wire.status = answer.response.status
    wire.headers = answer.response.headers


def _tls() -> ssl.SSLContext:
    # aiohttp makes its own at import; this one heeds an SSL_CERT_FILE that is set later.
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _proxy_for(base_url: str) -> str | None:
    """HTTP_PROXY or HTTPS_PROXY, unless NO_PROXY names the host or it is this machine."""
    url = urlsplit(base_url)
    host = url.hostname or ""
    if _is_loopback(host) or proxy_bypass(host):
        return None
    return getproxies().get(url.scheme)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
