"""An HTTP sink that answers as Slack does when all is well, at once, and notes each arrival.

As bare as it can be, so that what is measured is the sender. `python -m benchmarks.sink PORT`.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import ClassVar

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_REFERENCE = re.compile(rb"ref ([A-Za-z0-9-]+)")
_END_OF_HEAD = b"\r\n\r\n"


class Sink(asyncio.Protocol):
    """GET /count answers how many references arrived, GET /arrivals when each first did.

    Times are seconds on the monotonic clock, which all processes of a machine share.
    """

    arrivals: ClassVar[dict[str, float]] = {}
    posts: ClassVar[int] = 0

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while _END_OF_HEAD in self._received:
            head, _, rest = self._received.partition(_END_OF_HEAD)
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            if len(rest) < size:
                return
            self._received = rest[size:]
            self._transport.write(self._answer(head, rest[:size]))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        answer: dict[str, object]
        if head.startswith(b"GET /count"):
            answer = {"count": len(Sink.arrivals)}
        elif head.startswith(b"GET /arrivals"):
            answer = {"posts": Sink.posts, "arrivals": Sink.arrivals}
        elif head.startswith(b"DELETE"):
            Sink.arrivals.clear()
            Sink.posts = 0
            answer = {"ok": True}
        else:
            Sink.posts += 1
            reference = _REFERENCE.search(body.replace(b"+", b" "))
            if reference:
                Sink.arrivals.setdefault(reference[1].decode(), time.monotonic())
            answer = {"ok": True, "channel": "C0SINK", "ts": f"1700000000.{Sink.posts:06d}"}
        text = json.dumps(answer).encode()
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(text), text)
        )


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
