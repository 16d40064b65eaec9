"""A way to a server that loses what a test wants lost: replies, connections, or all of them.

The server has done what it was asked when a reply is lost: only the client does not know it.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from sandbox.servers import HOST, free_port

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_CHUNK = 65_536
# A name is found though it arrives in two pieces.
_LONGEST_NAME = 64


class LossyProxy:
    """Forwards one port of its own to `server_port` until it is told otherwise."""

    def __init__(self, server_port: int) -> None:
        self.port = free_port()
        self.lost_replies = 0
        # How many requests came while nothing flowed.
        self.held = 0
        self._server_port = server_port
        self._lock = Lock()
        self._sockets: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._to_lose = 0
        self._name = b""
        self._flowing = Event()
        self._flowing.set()
        self._name_to_hold = b""
        self._released = Event()

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def lose_next_reply(self, *, to: bytes = b"", times: int = 1) -> None:
        """Break the connection in place of the next `times` replies to requests that hold `to`."""
        with self._lock:
            self._to_lose, self._name = times, to

    def down(self) -> None:
        """Break every connection, and refuse new ones until `up`."""
        with self._lock:
            listener, self._listener = self._listener, None
            broken = [*self._sockets]
            self._sockets.clear()
        if listener is not None:
            _break(listener)
        for each in broken:
            _break(each)

    def up(self) -> None:
        listener = socket.create_server((HOST, self.port))
        with self._lock:
            self._listener = listener
        Thread(target=self._accept, args=(listener,), daemon=True).start()

    def lead_to(self, server_port: int) -> None:
        """Where the next connections go; those that are open stay where they are."""
        self._server_port = server_port

    def stall(self) -> None:
        """Requests and replies stand still, on open connections, until `flow`."""
        self._flowing.clear()

    def hold_next_reply(self, *, to: bytes) -> None:
        """The next request that holds `to` is answered, and nobody hears so until `flow`."""
        with self._lock:
            self._name_to_hold = to
        self._released.clear()

    def flow(self) -> None:
        self._flowing.set()
        self._released.set()

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.down()
        self.flow()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((HOST, self._server_port))
            except OSError:
                # There is no server at the moment.
                _break(client)
                continue
            with self._lock:
                is_up = self._listener is listener
                if is_up:
                    self._sockets |= {client, server}
            if not is_up:
                _break(client)
                _break(server)
                return
            ways = (client, server, Event(), Event())
            for pump in (self._requests, self._replies):
                Thread(target=pump, args=ways, daemon=True).start()

    def _requests(
        self, client: socket.socket, server: socket.socket, losing: Event, holding: Event
    ) -> None:
        before = b""
        while chunk := _received(client):
            if self._is_to_lose(before + chunk):
                losing.set()
            if self._is_to_hold(before + chunk):
                holding.set()
            before = chunk[-_LONGEST_NAME:]
            if not self._flowing.is_set():
                with self._lock:
                    self.held += 1
            self._flowing.wait()
            with suppress(OSError):
                server.sendall(chunk)
        self._end(client, server)

    def _replies(
        self, client: socket.socket, server: socket.socket, losing: Event, holding: Event
    ) -> None:
        while chunk := _received(server):
            self._flowing.wait()
            if holding.is_set():
                self._released.wait()
            if losing.is_set():
                with self._lock:
                    self.lost_replies += 1
                break
            with suppress(OSError):
                client.sendall(chunk)
        self._end(client, server)

    def _is_to_lose(self, request: bytes) -> bool:
        with self._lock:
            if self._to_lose == 0 or self._name not in request:
                return False
            self._to_lose -= 1
            return True

    def _is_to_hold(self, request: bytes) -> bool:
        with self._lock:
            if not self._name_to_hold or self._name_to_hold not in request:
                return False
            self._name_to_hold = b""
            return True

    def _end(self, *ended: socket.socket) -> None:
        with self._lock:
            self._sockets -= set(ended)
        for each in ended:
            _break(each)


def _received(connected: socket.socket) -> bytes:
    try:
        return connected.recv(_CHUNK)
    except OSError:
        return b""


def _break(connected: socket.socket) -> None:
    # A thread that waits in `recv` or `accept` notices a shutdown, not a close.
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()
