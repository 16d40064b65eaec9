"""Puts an answer on the wire, whole or as a fault has it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from aiohttp import web

from sandbox.slack import faults

if TYPE_CHECKING:
    from collections.abc import Mapping

REDIRECTED_PATH = "/api/redirected"
_JSON = "application/json; charset=utf-8"
_PAGE = "<!doctype html><title>Oops</title><p>Something went wrong, and this is not JSON.</p>"
# Close at once, with a reset, whatever has not been sent.
_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Slack would say, with status 200."""

    body: Mapping[str, Any]
    scopes: tuple[str, ...] = ()

    def encoded(self) -> bytes:
        return json.dumps(self.body, ensure_ascii=False).encode()

    def headers(self) -> dict[str, str]:
        return {"x-oauth-scopes": ",".join(self.scopes)} if self.scopes else {}


def whole(answer: Answer) -> web.StreamResponse:
    return _bytes(answer.encoded(), headers=answer.headers())


async def struck(
    fault: faults.Fault, request: web.Request, answer: Answer, *, method: str
) -> web.StreamResponse:
    """`answer` is what Slack would have said; some faults let half of it through."""
    if isinstance(fault, faults.Cut):
        return await _cut(fault, request, answer)
    if isinstance(fault, faults.Garbled):
        return _garbled(fault, answer)
    if isinstance(fault, faults.Replaced):
        return _replaced(fault, method=method)
    return await _late(fault, request, answer)


async def _cut(fault: faults.Cut, request: web.Request, answer: Answer) -> web.StreamResponse:
    match fault:
        case faults.Reset():
            return _gone(request, reset=True)
        case faults.Close():
            return _gone(request, reset=False)
        case faults.Silence():
            # Ends with the server.
            await asyncio.Event().wait()
            return whole(answer)
        case faults.HalfClose():
            return await _half(request, answer, reset=False)
        case faults.HalfReset():
            return await _half(request, answer, reset=True)
        case unreachable:
            assert_never(unreachable)


def _garbled(fault: faults.Garbled, answer: Answer) -> web.StreamResponse:
    match fault:
        case faults.Html(status=status):
            return web.Response(status=status, text=_PAGE, content_type="text/html")
        case faults.Empty(status=status):
            return _bytes(b"", status=status)
        case faults.JsonList():
            return _bytes(b'[{"ok": true}]')
        case faults.BadUtf8():
            return _bytes(b'{"ok": true, "channel": "\xff\xfe", "ts": "1.1"}')
        case faults.GzipType():
            return _bytes(answer.encoded(), content_type="application/gzip")
        case unreachable:
            assert_never(unreachable)


def _replaced(fault: faults.Replaced, *, method: str) -> web.StreamResponse:
    match fault:
        case faults.ServerError(status=status, code=code):
            return _bytes(_refusal(code), status=status)
        case faults.ErrorCode(code=code):
            return _bytes(_refusal(code))
        case faults.Redirect(status=status):
            return _bytes(b"", status=status, headers={"Location": f"{REDIRECTED_PATH}/{method}"})
        case faults.RateLimited(retry_after=retry_after):
            headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
            return _bytes(_refusal("ratelimited"), status=429, headers=headers)
        case unreachable:
            assert_never(unreachable)


async def _late(fault: faults.Late, request: web.Request, answer: Answer) -> web.StreamResponse:
    match fault:
        case faults.Slow(delay_ms=delay_ms):
            await asyncio.sleep(delay_ms / 1000)
            return whole(answer)
        case faults.Held():
            # It has been waited for already, before the call was done.
            return whole(answer)
        case faults.Drip(delay_ms=delay_ms):
            return await _drip(request, answer, delay_ms=delay_ms)
        case unreachable:
            assert_never(unreachable)


def _refusal(code: str) -> bytes:
    return json.dumps({"ok": False, "error": code}).encode()


def _bytes(
    body: bytes,
    *,
    status: int = 200,
    content_type: str = _JSON,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    return web.Response(
        status=status, body=body, headers={"Content-Type": content_type, **(headers or {})}
    )


def _gone(request: web.Request, *, reset: bool) -> web.StreamResponse:
    transport = request.transport
    if transport is not None and reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
    elif transport is not None:
        transport.close()
    # Nobody is left to read it; aiohttp notices by itself.
    return web.Response()


async def _begin(request: web.Request, answer: Answer) -> tuple[web.StreamResponse, bytes]:
    body = answer.encoded()
    response = web.StreamResponse(headers={"Content-Type": _JSON, **answer.headers()})
    response.content_length = len(body)
    await response.prepare(request)
    return response, body


async def _half(request: web.Request, answer: Answer, *, reset: bool) -> web.StreamResponse:
    response, body = await _begin(request, answer)
    await response.write(body[: len(body) // 2])
    _gone(request, reset=reset)
    return response


async def _drip(request: web.Request, answer: Answer, *, delay_ms: int) -> web.StreamResponse:
    response, body = await _begin(request, answer)
    for place in range(len(body)):
        await asyncio.sleep(delay_ms / 1000 / len(body))
        await response.write(body[place : place + 1])
    await response.write_eof()
    return response
