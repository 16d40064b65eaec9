"""What a process gives up, its kernel gives up too: no byte of a POST arrives much later.

Otherwise the kernel goes on sending what a closed socket or a killed process left with it, for
minutes where the network was away: a POST could arrive after its absence was proven (tried with a
network that drops every packet for a while).
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import AddrInfoType

# On, for no time: closing throws away what was not sent, and tells the other side so.
_LINGER = struct.pack("ii", 1, 0)
# Linux has it; elsewhere only the death and the closing of a socket end its sending.
_TCP_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)


def socket_factory(*, unacknowledged_ms: int) -> Callable[[AddrInfoType], socket.socket]:
    """Makes sockets that break when what they sent is not acknowledged for so long."""

    def make(address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        made.settimeout(0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        if _TCP_USER_TIMEOUT is not None:
            made.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, unacknowledged_ms)
        return made

    return make
