"""The kernel gives up what the process gave up: that is said to it when the socket is made."""

from __future__ import annotations

import socket
import struct
import sys

import pytest

from actors.slack.sockets import socket_factory

ADDRESS = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 1))


def test_what_was_not_sent_is_thrown_away_when_the_socket_is_closed() -> None:
    # Given
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = socket_factory(unacknowledged_ms=1_000)(ADDRESS)
        made.settimeout(5)
        made.connect(server.getsockname())
        accepted, _ = server.accept()

        # When
        made.close()

        # Then
        with accepted, pytest.raises(ConnectionResetError):
            accepted.recv(1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the option")
def test_what_is_not_acknowledged_in_time_is_sent_no_longer() -> None:
    # When
    with socket_factory(unacknowledged_ms=1_234)(ADDRESS) as made:
        timeout_ms = made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        linger = made.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)

    # Then
    assert timeout_ms == 1_234
    assert struct.unpack("ii", linger) == (1, 0)
