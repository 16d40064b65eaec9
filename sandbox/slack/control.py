"""The doors beside Slack's own, under /sandbox: look at what was posted, and make trouble.

Bodies are JSON objects and say so in their type, so that no foreign web page can send one.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sandbox.slack.faults import FAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.slack.board import Board

T = TypeVar("T")

_PAGE = Path(__file__).parent / "page"
# The page loads nothing from elsewhere, and text that got through as HTML could run nothing.
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Team(_Body):
    team: _Name
    name: str | None = None
    scopes: tuple[str, ...] | None = None


class _Token(_Body):
    token: _Name
    team: _Name
    bot_id: _Name | None = None


class _Channel(_Body):
    team: _Name
    channel: _Name
    name: str | None = None
    archived: bool | None = None
    member: bool | None = None


class Control:
    def __init__(self, board: Board) -> None:
        self._board = board

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self._page),
            web.get("/page/{name}", self._page),
            web.get("/sandbox/health", self._health),
            web.get("/sandbox/events", self._events),
            web.get("/sandbox/posts", self._posts),
            web.delete("/sandbox/posts", self._clear),
            web.delete("/sandbox/posts/{team}/{channel}/{ts}", self._remove),
            web.get("/sandbox/attempts", self._attempts),
            web.get("/sandbox/faults", self._faults),
            web.post("/sandbox/faults", self._add_fault),
            web.delete("/sandbox/faults", self._clear_faults),
            web.post("/sandbox/teams", self._declare_team),
            web.post("/sandbox/tokens", self._declare_token),
            web.post("/sandbox/channels", self._declare_channel),
            web.get("/sandbox/conditions", self._conditions),
            web.post("/sandbox/conditions", self._change_conditions),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "page.html")
        file = _PAGE / name
        # A name without a slash, of a file that is there: nothing outside the folder.
        if file.parent != _PAGE or not file.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(file, headers=_HEADERS)

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True, **self._board.totals()})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        asked = request.query.get("after", "")
        after = request.headers.get("Last-Event-ID", asked) or self._board.events.last_id
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        # Comes back soon after the stand-in was restarted.
        await response.write(b"retry: 1000\n\n")
        async for frames in self._board.events.after(after):
            await response.write(frames)
        return response

    async def _posts(self, request: web.Request) -> web.Response:
        return web.json_response(self._board.snapshot())

    async def _clear(self, request: web.Request) -> web.Response:
        self._board.clear()
        return web.Response(status=204)

    async def _remove(self, request: web.Request) -> web.Response:
        place = request.match_info
        removed = self._board.remove(team=place["team"], channel=place["channel"], ts=place["ts"])
        return web.Response(status=204 if removed else 404)

    async def _attempts(self, request: web.Request) -> web.Response:
        return web.json_response([attempt.as_json() for attempt in self._board.tally.attempts])

    async def _faults(self, request: web.Request) -> web.Response:
        active = [
            {"id": number, "struck": struck, **fault.model_dump()}
            for number, fault, struck in self._board.faults
        ]
        return web.json_response({"active": active, "hits": self._board.faults.hits})

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = await _read(request, FAULT.validate_json)
        return web.json_response({"id": self._board.faults.add(fault)}, status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._board.faults.clear()
        return web.Response(status=204)

    async def _declare_team(self, request: web.Request) -> web.Response:
        said = await _read(request, _Team.model_validate_json)
        self._board.declare_team(said.team, name=said.name, scopes=said.scopes)
        return web.Response(status=204)

    async def _declare_token(self, request: web.Request) -> web.Response:
        said = await _read(request, _Token.model_validate_json)
        self._board.workspaces.declare_token(said.token, team=said.team, bot_id=said.bot_id)
        return web.Response(status=204)

    async def _declare_channel(self, request: web.Request) -> web.Response:
        said = await _read(request, _Channel.model_validate_json)
        self._board.declare_channel(
            said.team, said.channel, name=said.name, archived=said.archived, member=said.member
        )
        return web.Response(status=204)

    async def _conditions(self, request: web.Request) -> web.Response:
        return web.json_response(self._board.conditions.model_dump())

    async def _change_conditions(self, request: web.Request) -> web.Response:
        changes = await _read(request, _CHANGES.validate_json)
        with _told():
            self._board.conditions = self._board.conditions.changed(**changes)
        return await self._conditions(request)


_CHANGES: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


async def _read(request: web.Request, validate: Callable[[bytes], T]) -> T:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    body = await request.read()
    with _told():
        return validate(body)


@contextmanager
def _told() -> Iterator[None]:
    """What pydantic found wrong becomes a 400 that says where."""
    try:
        yield
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(step) for step in found['loc'])}: {found['msg']}"
            for found in error.errors()
        ]
        raise web.HTTPBadRequest(text="\n".join(lines)) from None
