"""Slack's side of the line: a call is read, checked, done, and answered, or struck by a fault.

A call is done as a whole or not at all, and that is decided before its answer meets the wire.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.slack.arguments import Arguments, read_arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import Held
from sandbox.slack.reads import (
    auth_test,
    conversations_history,
    conversations_replies,
    scopes_of,
)
from sandbox.slack.wire import REDIRECTED_PATH, Answer, struck, whole
from sandbox.slack.writes import delete, post_message, update

if TYPE_CHECKING:
    from sandbox.slack.board import Board
    from sandbox.slack.posts import Attempt
    from sandbox.slack.workspaces import Caller

_POST = "chat.postMessage"
# What half an answer is taken from, or a plain answer of the wrong type, when nothing was stored.
_NOT_DONE = Answer({"ok": False, "error": "internal_error"})
# A redirected GET must look like success, since that is the trap.
_LURE = Answer({"ok": True, "channel": "C0LURE", "ts": "1000000000.000100"})


@dataclass(frozen=True, slots=True)
class _Call:
    """A request as it was understood; `problem` is why it was not."""

    method: str
    arguments: Arguments
    problem: SlackError | None
    team: str | None
    attempt: Attempt | None


class Api:
    def __init__(self, board: Board) -> None:
        self._board = board

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(REDIRECTED_PATH + "/{method}", self._lured),
            web.post(REDIRECTED_PATH + "/{method}", self._redirected),
            web.get("/api/{method}", self._called),
            web.post("/api/{method}", self._called),
        ]

    async def _called(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, may_strike=True)

    async def _redirected(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, may_strike=False)

    async def _lured(self, request: web.Request) -> web.StreamResponse:
        return whole(_LURE)

    async def _answer(self, request: web.Request, *, may_strike: bool) -> web.StreamResponse:
        board = self._board
        call = await self._read(request)
        fault = None
        if may_strike:
            channel = call.arguments.values.get("channel")
            fault = board.strike(method=call.method, team=call.team, channel=channel)
            fault = fault or board.paced(method=call.method, team=call.team)
        if isinstance(fault, Held):
            await asyncio.sleep(fault.delay_ms / 1000)
        answer = self._done(call) if fault is None or fault.accepts else _NOT_DONE
        if call.attempt is not None:
            name = None if fault is None else fault.name
            said = name or answer.body.get("error", "ok")
            board.tally.became(call.attempt, fault=name, answer=said)
        if board.conditions.slow_ms:
            await asyncio.sleep(board.conditions.slow_ms / 1000)
        if fault is None:
            return whole(answer)
        return await struck(fault, request, answer, method=call.method)

    async def _read(self, request: web.Request) -> _Call:
        method = request.match_info["method"]
        self._board.tally.called(method)
        try:
            arguments, problem = await read_arguments(request), None
        except SlackError as error:
            arguments, problem = Arguments({}), error
        try:
            team = self._caller(arguments).workspace.id
        except SlackError:
            team = None
        attempt = None
        if method == _POST:
            attempt = self._board.tally.arrived(arguments, headers=request.headers, team=team)
            self._board.show_totals()
        return _Call(method, arguments, problem, team, attempt)

    def _caller(self, arguments: Arguments) -> Caller:
        strict = self._board.conditions.strict
        return self._board.workspaces.caller(arguments.token, strict=strict)

    def _done(self, call: _Call) -> Answer:
        scopes: tuple[str, ...] = ()
        try:
            if call.problem is not None:
                raise call.problem
            caller = self._caller(call.arguments)
            scopes = scopes_of(caller, self._board.conditions)
            body = self._run(call.method, caller, call.arguments)
        except SlackError as error:
            return Answer(_refusal(error, call.arguments), scopes)
        if call.attempt is not None:
            self._board.tally.became(call.attempt, stored=True)
        return Answer(_with_warnings({"ok": True, **body}, call.arguments), scopes)

    def _run(self, method: str, caller: Caller, arguments: Arguments) -> dict[str, Any]:
        board = self._board
        strict = board.conditions.strict
        match method:
            case "chat.postMessage":
                body, posts = post_message(board.workspaces, board.conditions, caller, arguments)
                board.posted(posts)
            case "chat.update":
                body, post = update(board.workspaces, caller, arguments, strict=strict)
                board.edited(post)
            case "chat.delete":
                body, post = delete(board.workspaces, caller, arguments, strict=strict)
                board.deleted(team=post.team, channel=post.channel, ts=post.ts)
            case "auth.test":
                body = auth_test(caller)
            case "conversations.history":
                body = conversations_history(board.workspaces, board.conditions, caller, arguments)
            case "conversations.replies":
                body = conversations_replies(board.workspaces, board.conditions, caller, arguments)
            case _:
                raise SlackError("unknown_method", details={"req_method": method})
        return body


def _refusal(error: SlackError, arguments: Arguments) -> dict[str, Any]:
    body: dict[str, Any] = {"ok": False, "error": error.code, **error.details}
    if error.messages:
        body["response_metadata"] = {"messages": list(error.messages)}
    return _with_warnings(body, arguments)


def _with_warnings(body: dict[str, Any], arguments: Arguments) -> dict[str, Any]:
    """Slack names its warnings twice: joined by commas, and as a list."""
    if not arguments.warnings:
        return body
    metadata = body.get("response_metadata", {})
    warnings = [*metadata.get("warnings", ()), *arguments.warnings]
    return {
        **body,
        "warning": ",".join(warnings),
        "response_metadata": {**metadata, "warnings": warnings},
    }
