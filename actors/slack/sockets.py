"""What a process gives up, its kernel gives up too: no byte of a POST arrives much later.

Nor is any byte written later than the first. asyncio keeps what the kernel does not take at once,
and writes it whenever the process runs again: one that was stopped in the middle of a POST finished
it as it woke, long after `post_by` (tried with SIGSTOP). So a request is taken in one piece, or cut
off. Without the rest, the kernel goes on sending what a closed socket or a killed process left with
it, for minutes where the network was away: a POST could arrive after its absence was proven (tried
with a network that drops every packet for a while).
"""

from __future__ import annotations

import logging
import socket
import struct
from typing import TYPE_CHECKING, Any

from actors.message_limits import MESSAGE_MAX_BYTES
from actors.slack.errors import WrittenInPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import ReadableBuffer
    from aiohttp import AddrInfoType

_LOG = logging.getLogger(__name__)

# For the longest message, with the rest of its request and what TLS adds; unasked, Linux takes
# 65 kB at once over an Ethernet. Less than an untuned Linux allows (`net.core.wmem_max`, 212,992).
SEND_BUFFER_BYTES = 128 * 1024
assert MESSAGE_MAX_BYTES * 1.25 <= SEND_BUFFER_BYTES

# On, for no time: closing throws away what was not sent, and tells the other side so.
_LINGER = struct.pack("ii", 1, 0)
# Linux has it; elsewhere only the death and the closing of a socket end its sending.
_TCP_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
# Where a machine is tuned to a small one, it counts more than the size of the buffer.
_TCP_NOTSENT_LOWAT: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)


class WholeWrites(socket.socket):
    """What it does not take at once breaks it, so that nobody can hand in the rest.

    asyncio's own event loops write by these two methods, under TLS and in a proxy's tunnel too.
    """

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        try:
            taken = super().send(data, flags)
        except BlockingIOError:
            raise WrittenInPart from None
        return self._whole(taken, (data,))

    def sendmsg(self, buffers: Iterable[ReadableBuffer], /, *others: Any) -> int:  # noqa: ANN401 - handed on
        pieces = list(buffers)
        try:
            taken = super().sendmsg(pieces, *others)
        except BlockingIOError:
            raise WrittenInPart from None
        return self._whole(taken, pieces)

    @staticmethod
    def _whole(taken: int, pieces: Iterable[ReadableBuffer]) -> int:
        if taken < sum(memoryview(piece).nbytes for piece in pieces):
            raise WrittenInPart
        return taken


def socket_factory(
    *, unacknowledged_ms: int, send_buffer_bytes: int = SEND_BUFFER_BYTES
) -> Callable[[AddrInfoType], socket.socket]:
    """Makes sockets that break when what they sent is not acknowledged for so long."""
    warned = False

    def make(address: AddrInfoType) -> socket.socket:
        nonlocal warned
        family, kind, protocol, _, _ = address
        made = WholeWrites(family, kind, protocol)
        made.settimeout(0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
        if _TCP_USER_TIMEOUT is not None:
            made.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, unacknowledged_ms)
        if _TCP_NOTSENT_LOWAT is not None:
            made.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, send_buffer_bytes)
        # Linux gives twice what was asked for, or twice its own limit, and needs a fifth of it.
        given = made.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        if given < send_buffer_bytes and not warned:
            warned = True
            _LOG.error(
                "slack.send_buffer_small bytes=%s: long messages cannot be sent; allow %s bytes by "
                "net.core.wmem_max",
                *(given, send_buffer_bytes),
            )
        return made

    return make
