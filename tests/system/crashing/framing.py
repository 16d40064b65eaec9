"""Whole messages are read off a stream, kept byte for byte: Redis' commands and replies, HTTP's.

What is forwarded is what was sent; only where it ends, and what it says, is understood here.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TypeAlias

# Of a status line or one header; bodies are read by their length.
LONGEST_LINE = 256 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"

Value: TypeAlias = "bytes | int | ReplyError | list[Value] | None"


@dataclass(frozen=True, slots=True)
class ReplyError:
    """What the server answered in place of a value."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command, its name first, and how it came."""

    arguments: tuple[bytes, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    value: Value
    raw: bytes


@dataclass(frozen=True, slots=True)
class Http:
    """A request or an answer; `is_whole` unless the connection ended in the midst of the body."""

    head: bytes
    body: bytes
    is_whole: bool = True

    @property
    def raw(self) -> bytes:
        return self.head + self.body


async def read_command(reader: asyncio.StreamReader) -> Command | None:
    """None when the client has gone."""
    try:
        reply = await read_reply(reader)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    assert isinstance(reply.value, list), f"not a command: {reply.raw!r}"
    return Command(tuple(word for word in reply.value if isinstance(word, bytes)), reply.raw)


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """Raises IncompleteReadError or ConnectionError when the server has gone."""
    line = await reader.readuntil(b"\r\n")
    kind, rest = line[:1], line[1:-2]
    match kind:
        case b"+":
            return Reply(rest, line)
        case b"-":
            return Reply(ReplyError(rest.decode()), line)
        case b":":
            return Reply(int(rest), line)
        case b"$" if rest == b"-1":
            return Reply(None, line)
        case b"$":
            body = await reader.readexactly(int(rest) + 2)
            return Reply(body[:-2], line + body)
        case b"*" if rest == b"-1":
            return Reply(None, line)
        case b"*":
            parts = [await read_reply(reader) for _ in range(int(rest))]
            return Reply(
                [part.value for part in parts], line + b"".join(part.raw for part in parts)
            )
        case _:
            raise AssertionError(f"not of RESP2: {line!r}")


async def read_http(reader: asyncio.StreamReader) -> Http | None:
    """None when the other side has gone before the end of a head."""
    try:
        head = await reader.readuntil(_END_OF_HEAD)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    length = _LENGTH.search(head)
    try:
        body = await reader.readexactly(int(length[1]) if length else 0)
    except asyncio.IncompleteReadError as cut:
        return Http(head, cut.partial, is_whole=False)
    except ConnectionError:
        return Http(head, b"", is_whole=False)
    return Http(head, body)
