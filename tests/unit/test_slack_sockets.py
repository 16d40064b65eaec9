"""The kernel gives up what the process gave up: that is said to it when the socket is made."""

from __future__ import annotations

import socket
import struct
import sys
from typing import TYPE_CHECKING

import pytest

from actors.slack.errors import WrittenInPart
from actors.slack.sockets import SEND_BUFFER_BYTES, socket_factory

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda made, data: made.send(data), id="send"),
        pytest.param(lambda made, data: made.sendmsg([b"", data]), id="sendmsg"),
    ],
)
def test_what_is_not_taken_at_once_is_told(write: Callable[[socket.socket, bytes], int]) -> None:
    # Given a server that reads nothing
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket_factory(unacknowledged_ms=1_000)(ADDRESS) as made,
    ):
        made.settimeout(5)
        made.connect(server.getsockname())
        made.settimeout(0)

        # When as much as there is room for is written, it is taken
        assert write(made, bytes(SEND_BUFFER_BYTES)) == SEND_BUFFER_BYTES

        # Then neither a part of what follows passes for all of it, nor nothing for not yet
        for _ in range(2):
            with pytest.raises(WrittenInPart):
                write(made, bytes(100 * SEND_BUFFER_BYTES))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere asking for more is an error")
def test_a_machine_that_allows_too_little_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    # Given more than any machine allows
    make = socket_factory(unacknowledged_ms=1_000, send_buffer_bytes=2**30)

    # When
    for _ in range(2):
        make(ADDRESS).close()

    # Then
    assert caplog.text.count("slack.send_buffer_small") == 1
    assert "net.core.wmem_max" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is tuned so")
def test_a_machine_that_is_tuned_to_take_little_at_once_takes_a_whole_message() -> None:
    # When
    with socket_factory(unacknowledged_ms=1_000)(ADDRESS) as made:
        unsent_bytes = made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)

    # Then
    assert unsent_bytes == SEND_BUFFER_BYTES
