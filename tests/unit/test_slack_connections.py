from __future__ import annotations

import asyncio
import socket

from actors.slack.connections import QuietProtocol


def test_a_new_connection_on_which_something_lies_unread_is_not_quiet() -> None:
    # Given
    ours, theirs = socket.socketpair()

    async def is_quiet_before_and_after() -> tuple[bool, bool]:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_connection(lambda: QuietProtocol(loop), sock=ours)
        before = protocol.is_quiet()

        # When
        theirs.send(b"HTTP/1.1 408 Request Timeout")

        # Then the loop has not run, and has read nothing
        after = protocol.is_quiet()
        transport.abort()
        return before, after

    with theirs:
        assert asyncio.run(is_quiet_before_and_after()) == (True, False)
