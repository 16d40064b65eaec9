"""Every way in which a POST to Slack can go wrong, with the outcome that follows from it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from middleware.fates import NotNow, PostAnswer, Posted, Refused
from tests.system.faulting_server import (
    Connection,
    Fault,
    FaultingServer,
    faulting_server,
    json_bytes,
    self_signed,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "xoxb-canary-token"
TEXT = "canary-text"

POSTED = {"ok": True, "channel": "C1", "ts": "1700000000.000100", "message": {"text": TEXT}}
RECEIPT = Posted({"channel": "C1", "ts": "1700000000.000100"})

# The HTML that a proxy or an overloaded Slack shows; it repeats what it was sent, as some do.
PAGE = f"<html>{TOKEN} {TEXT}</html>".encode()


# A busy machine must not make an answer late; what never comes must not hold the tests up.
GENEROUS_MS = 10_000
SHORT_MS = 300


@dataclass(frozen=True)
class Unknown:
    """The gateway raises FateUnknown."""


Peer = Callable[[], AbstractAsyncContextManager[FaultingServer]]


@dataclass(frozen=True)
class Row:
    name: str
    peer: Peer
    outcome: PostAnswer | Unknown
    posts: int
    deadline_ms: int = GENEROUS_MS


def answering(
    body: object,
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Fault:
    """The same whole answer to each request; `body` is sent as JSON unless it is bytes."""
    data = body if isinstance(body, bytes) else json_bytes(body)

    async def fault(connection: Connection) -> None:
        while True:
            await connection.read_request()
            await connection.answer(data, status=status, content_type=content_type, headers=headers)

    return fault


async def reset_after_request(connection: Connection) -> None:
    await connection.read_request()
    connection.reset()


async def reset_unread(connection: Connection) -> None:
    connection.received += await connection.reader.read(64)
    connection.reset()


async def close_after_request(connection: Connection) -> None:
    await connection.read_request()


async def never_answer(connection: Connection) -> None:
    await connection.read_to_end()


async def half_body(connection: Connection) -> None:
    await connection.read_request()
    whole = json_bytes(POSTED)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(whole)}\r\n"
    await connection.write(head.encode() + b"\r\n" + whole[:-1])


async def half_body_then_reset(connection: Connection) -> None:
    await half_body(connection)
    connection.reset()


async def half_429(connection: Connection) -> None:
    await connection.read_request()
    await connection.write(
        b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Type: application/json\r\n"
        b"Content-Length: 20\r\n\r\n{"
    )


async def slow_drip(connection: Connection) -> None:
    """Never silent for long, so that only a limit on the whole ends it."""
    await connection.read_request()
    await connection.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    )
    while not await connection.client_left_within(0.02):
        await connection.write(b" ")


async def not_http(connection: Connection) -> None:
    await connection.read_request()
    await connection.write(b"SSH-2.0-OpenSSH_9.9\r\n")


async def refuse_handshake(connection: Connection) -> None:
    await connection.reader.read(1)


async def start_tls(connection: Connection) -> None:
    await connection.writer.start_tls(self_signed())
    await connection.read_to_end()


@asynccontextmanager
async def unreachable(url: str) -> AsyncIterator[FaultingServer]:
    yield FaultingServer(url)


@asynccontextmanager
async def refusing_port() -> AsyncIterator[FaultingServer]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield FaultingServer(f"http://127.0.0.1:{bound.getsockname()[1]}/api/")


@asynccontextmanager
async def full_backlog() -> AsyncIterator[FaultingServer]:
    """A listener that accepts nobody and whose queue is full: the next SYN is dropped."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            waiting = sockets.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield FaultingServer(f"http://127.0.0.1:{listener.getsockname()[1]}/api/")


@asynccontextmanager
async def redirecting(status: int, *, elsewhere: bool) -> AsyncIterator[FaultingServer]:
    """The target of the redirect would accept; what it is asked counts as asked of the first."""
    async with faulting_server(answering(POSTED)) as target:

        async def fault(connection: Connection) -> None:
            await connection.read_request()
            location = f"{target.url}chat.postMessage" if elsewhere else "/api/again"
            await connection.answer(b"", status=status, headers={"Location": location})
            await connection.read_to_end()

        async with faulting_server(fault) as first:
            target.connections = first.connections
            yield first


def _rows(outcome: PostAnswer | Unknown, posts: int, **faults: Fault) -> list[Row]:
    return [
        Row(name, partial(faulting_server, fault), outcome, posts) for name, fault in faults.items()
    ]


NOT_CONNECTED = [
    Row("refused", refusing_port, NotNow("connect_failed"), 0),
    Row("dns", partial(unreachable, "http://postonce.invalid/api/"), NotNow("dns_failed"), 0),
    Row("address", partial(unreachable, "http://h:pa/api/"), NotNow("address_invalid"), 0),
    Row("connect_timeout", full_backlog, NotNow("connect_timeout"), 0, SHORT_MS),
    Row(
        "certificate",
        partial(faulting_server, start_tls, scheme="https"),
        NotNow("certificate_refused"),
        0,
    ),
    Row(
        "tls_closed",
        partial(faulting_server, refuse_handshake, scheme="https"),
        NotNow("connect_failed"),
        0,
    ),
    Row(
        "tls_never_answered",
        partial(faulting_server, never_answer, scheme="https"),
        NotNow("connect_timeout"),
        0,
        SHORT_MS,
    ),
]

DROPPED = [
    *_rows(
        Unknown(),
        1,
        reset_after_request=reset_after_request,
        reset_unread=reset_unread,
        clean_close=close_after_request,
        half_body_close=half_body,
        half_body_reset=half_body_then_reset,
        not_http=not_http,
    ),
    Row("no_answer", partial(faulting_server, never_answer), Unknown(), 1, SHORT_MS),
    Row("slow_drip", partial(faulting_server, slow_drip), Unknown(), 1, SHORT_MS),
]

NOT_AN_ANSWER = [
    row
    for status in (200, 204, 400, 404, 500, 502, 503, 504)
    for row in _rows(
        Unknown(),
        1,
        **{
            f"html_{status}": answering(PAGE, status=status, content_type="text/html"),
            f"empty_{status}": answering(b"", status=status),
            f"no_type_{status}": answering(b"", status=status, content_type=""),
            f"page_called_json_{status}": answering(PAGE, status=status),
            f"plain_text_{status}": answering(PAGE, status=status, content_type="text/plain"),
        },
    )
] + _rows(
    Unknown(),
    1,
    list=answering([POSTED]),
    null=answering(None),
    string=answering("ok"),
    bad_utf8=answering(b'{"ok": true, "channel": "C1", "ts": "1.\xff"}'),
    gzip_type=answering(POSTED, content_type="application/gzip"),
    gzip_type_500=answering(POSTED, status=500, content_type="application/gzip"),
    posted_with_status_500=answering(POSTED, status=500),
    posted_with_status_201=answering(POSTED, status=201),
    ok_as_number=answering(POSTED | {"ok": 1}),
    ok_as_string=answering(POSTED | {"ok": "true"}),
    ok_missing=answering({"error": "is_archived"}),
    ts_missing=answering({"ok": True, "channel": "C1"}),
    ts_as_number=answering(POSTED | {"ts": 1700000000.0001}),
    ts_empty=answering(POSTED | {"ts": ""}),
    channel_missing=answering({"ok": True, "ts": "1.2"}),
    error_missing=answering({"ok": False}),
    error_as_list=answering({"ok": False, "error": ["is_archived"]}),
    refused_with_status_500=answering({"ok": False, "error": "is_archived"}, status=500),
    refused_with_status_403=answering({"ok": False, "error": "invalid_auth"}, status=403),
    rate_limited_with_status_503=answering({"ok": False, "error": "ratelimited"}, status=503),
)

REFUSED = [
    *_rows(
        Refused("msg_too_long", "The text is too long: shorten the template or its variables."),
        1,
        message=answering({"ok": False, "error": "msg_too_long", "text": TEXT}),
    ),
    *_rows(
        Refused("not_in_channel", "The bot is not in the channel: invite the bot to the channel."),
        1,
        channel=answering({"ok": False, "error": "not_in_channel"}),
    ),
    *_rows(
        NotNow("token_revoked", 60_000),
        1,
        workspace=answering({"ok": False, "error": "token_revoked", "token": TOKEN}),
    ),
    *_rows(
        Unknown(),
        1,
        internal_error=answering({"ok": False, "error": "internal_error"}),
        fatal_error=answering({"ok": False, "error": "fatal_error"}),
        service_unavailable=answering({"ok": False, "error": "service_unavailable"}),
        unlisted=answering({"ok": False, "error": "brand_new_code"}),
        code_that_is_text=answering({"ok": False, "error": f"{TEXT} {TOKEN}"}),
    ),
]


def _retry_after(value: str) -> Fault:
    body = {"ok": False, "error": "ratelimited"}
    return answering(body, status=429, headers={"Retry-After": value})


TOO_MANY = [
    *_rows(
        NotNow("rate_limited", 7000),
        1,
        seconds=_retry_after("7"),
        page=answering(PAGE, status=429, content_type="text/html", headers={"Retry-After": "7"}),
        half=half_429,
        bad_utf8_429=answering(b'{"\xff', status=429, headers={"Retry-After": "7"}),
        posted_429=answering(POSTED, status=429, headers={"Retry-After": "7"}),
        status_200=answering({"ok": False, "error": "ratelimited"}, headers={"Retry-After": "7"}),
    ),
    *_rows(
        NotNow("rate_limited", None),
        1,
        no_header=answering({"ok": False, "error": "ratelimited"}, status=429),
        empty_429=answering(b"", status=429),
        status_200_other_spelling=answering({"ok": False, "error": "rate_limited"}),
        **{
            f"retry_after_{name}": _retry_after(value)
            for name, value in {
                "empty": "",
                "zero": "0",
                "negative": "-5",
                "fraction": "1.5",
                "words": "soon",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
                "over_an_hour": "3601",
                "absurd": "86400",
                "endless": "9" * 400,
                "digits_of_another_script": "\u0667",
            }.items()
        },
    ),
]

REDIRECTED = [
    Row(
        f"{status}_{'to_another_host' if elsewhere else 'to_the_same_host'}",
        partial(redirecting, status, elsewhere=elsewhere),
        Unknown(),
        1,
    )
    for status in (301, 302, 303, 307, 308)
    for elsewhere in (True, False)
] + _rows(Unknown(), 1, redirect_to_nowhere=answering(b"", status=302))

ROWS = [
    *NOT_CONNECTED,
    *DROPPED,
    *NOT_AN_ANSWER,
    *REFUSED,
    *TOO_MANY,
    *REDIRECTED,
    Row("posted", partial(faulting_server, answering(POSTED)), RECEIPT, 1),
]
