"""A server on raw sockets that answers each connection as badly as a test wants it to."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

SELF_SIGNED = Path(__file__).with_name("self_signed.pem")

_CONTENT_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


@dataclass
class Connection:
    """One client; `received` is every byte it wrote, after TLS if there is any."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: bytearray = field(default_factory=bytearray)

    async def read_request(self) -> None:
        """One request with its body; ConnectionError if the client leaves before."""
        head = await self._read_until(b"\r\n\r\n")
        length = _CONTENT_LENGTH.search(head)
        if length is not None:
            await self._read_exactly(int(length[1]))

    async def read_to_end(self) -> None:
        """Until the client goes away."""
        while chunk := await self.reader.read(65_536):
            self.received += chunk

    async def client_left_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.read_to_end()
        except TimeoutError:
            return False
        return True

    async def answer(
        self,
        body: bytes,
        *,
        status: int = 200,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        lines = [
            f"HTTP/1.1 {status} Whatever",
            f"Content-Type: {content_type}",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        await self.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """RST, with whatever was not read thrown away."""
        linger = struct.pack("ii", 1, 0)
        connected: socket.socket = self.writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def _read_until(self, separator: bytes) -> bytes:
        try:
            read = await self.reader.readuntil(separator)
        except asyncio.IncompleteReadError as left:
            self.received += left.partial
            raise ConnectionResetError from None
        self.received += read
        return read

    async def _read_exactly(self, count: int) -> None:
        try:
            self.received += await self.reader.readexactly(count)
        except asyncio.IncompleteReadError as left:
            self.received += left.partial
            raise ConnectionResetError from None


Fault = Callable[[Connection], Awaitable[None]]


@dataclass
class FaultingServer:
    url: str
    connections: list[Connection] = field(default_factory=list)
    handling: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def received(self) -> bytes:
        return b"".join(bytes(connection.received) for connection in self.connections)

    @property
    def requests(self) -> list[str]:
        """Method and path of each request whose first line arrived."""
        lines = re.findall(rb"([A-Z]+ [^ \r\n]+) HTTP/1\.1\r\n", self.received)
        return [line.decode() for line in lines]

    @property
    def posts(self) -> int:
        return sum(request.startswith("POST ") for request in self.requests)

    async def all_clients_left(self) -> None:
        if self.handling:
            await asyncio.wait(self.handling)


@asynccontextmanager
async def faulting_server(
    fault: Fault, *, scheme: str = "http", listener: socket.socket | None = None
) -> AsyncIterator[FaultingServer]:
    """`fault` is run for each connection, which is closed after it; it starts TLS by itself."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handled = asyncio.current_task()
        assert handled is not None
        peer.handling.add(handled)
        handled.add_done_callback(peer.handling.discard)
        connection = Connection(reader, writer)
        peer.connections.append(connection)
        try:
            await fault(connection)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            writer.transport.abort()

    listening = listener or socket.create_server(("127.0.0.1", 0))
    server = await asyncio.start_server(serve, sock=listening)
    port = server.sockets[0].getsockname()[1]
    peer = FaultingServer(f"{scheme}://127.0.0.1:{port}/api/")
    try:
        yield peer
    finally:
        server.close()
        await peer.all_clients_left()


def narrow_listener() -> socket.socket:
    """As behind an Ethernet, with little room for what was not read yet."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1_460)
    made.bind(("127.0.0.1", 0))
    made.listen()
    return made


def self_signed() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(SELF_SIGNED)
    return context


def json_bytes(value: object) -> bytes:
    return json.dumps(value).encode()
