"""A connection on which anything was said while nothing was asked is not used again; but under TLS
before the first request, when TLS itself has things to say.

In HTTP/1.1 an answer does not say what it answers: whatever is heard first after a request is taken
for the answer to it. One that nobody waited for any more, sent twice or late by Slack or a proxy,
would say `ok` to a POST that failed, or prove a message absent by another channel's history.
aiohttp 3.14 hands such a connection out (tried): it asks for leftovers when a connection is given
back, and not when it is taken.
"""

from __future__ import annotations

import select
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import TCPConnector
from aiohttp.client_proto import ResponseHandler

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


class QuietProtocol(ResponseHandler):
    """One connection. At rest from the end of an answer until the next request is written."""

    _at_rest = False

    def is_quiet(self) -> bool:
        """Whether what is heard from now on can be an answer to what is written now."""
        if not self.is_connected() or self.should_close:
            return False
        # What came, or that the other side has left, the loop may not have read yet. After its
        # handshake TLS has its own to say, so a connection that was never used is not asked then.
        assert self.transport is not None
        is_fresh_tls = not self._at_rest and self.transport.get_extra_info("ssl_object") is not None
        return is_fresh_tls or not self._has_unread()

    def ask(self) -> None:
        self._at_rest = False

    def rest(self) -> None:
        self._at_rest = True

    def data_received(self, data: bytes) -> None:
        # aiohttp calls this with nothing, too, to go on with what it holds back.
        if self._at_rest and data:
            self.abort()
        else:
            super().data_received(data)

    def close(self) -> None:
        """At once: TLS would first take leave of the other side, for as long as that does not
        answer, while the kernel goes on sending what was given up.
        """
        self.abort()

    def _has_unread(self) -> bool:
        assert self.transport is not None
        unread = select.poll()
        unread.register(self.transport.get_extra_info("socket"), select.POLLIN)
        return bool(unread.poll(0))


class QuietConnector(TCPConnector):
    """`handed_out` is told which connection a request is about to be written to."""

    def __init__(self, *, handed_out: Callable[[QuietProtocol], None], **options: Any) -> None:  # noqa: ANN401 - TCPConnector's
        super().__init__(**options)
        protocol: Callable[..., ResponseHandler] = QuietProtocol
        self._factory = partial(protocol, loop=self._loop)
        self._handed_out = handed_out

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - aiohttp's name
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        protocol = connection.protocol
        assert isinstance(protocol, QuietProtocol)
        connection.add_callback(protocol.rest)
        self._handed_out(protocol)
        return connection
