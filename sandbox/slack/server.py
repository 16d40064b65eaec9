"""The stand-in as one aiohttp server, on loopback unless another host is asked for."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.servers import HOST
from sandbox.slack.api import Api
from sandbox.slack.board import Board
from sandbox.slack.conditions import Conditions
from sandbox.slack.control import Control
from sandbox.slack.errors import SlackDidNotStart

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

# Slack's own limit on a request is below this.
_LARGEST_BODY = 4 * 1024 * 1024
# A silent or slow answer must not hold up the end.
_SHUTDOWN_S = 0.2


class SlackServer:
    """Everything but `board` is to be used on the loop that started it, and so is the board."""

    def __init__(
        self,
        *,
        port: int,
        host: str = HOST,
        conditions: Conditions | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host = host
        self.port = port
        self.board = Board(conditions=conditions or Conditions(), clock=clock)
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    @property
    def root(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def start(self) -> None:
        """Raises SlackDidNotStart if the port cannot be had."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.add_routes(Api(self.board).routes())
        app.add_routes(Control(self.board).routes())
        app.on_shutdown.append(self._end_streams)
        app.on_response_prepare.append(self._date)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await self._runner.setup()
        await self.listen()

    async def listen(self) -> None:
        """Again, after `refuse`, or for the first time."""
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, self.host, self.port)
        try:
            await self._site.start()
        except OSError as error:
            await self._runner.cleanup()
            reason = error.strerror or str(error)
            raise SlackDidNotStart(host=self.host, port=self.port, reason=reason) from error

    async def refuse(self) -> None:
        """Every new connection is refused and the open ones are closed, until `listen`."""
        assert self._runner is not None
        assert self._site is not None
        await self._site.stop()
        server = self._runner.server
        assert server is not None
        for connection in server.connections:
            connection.force_close()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        """By Slack's own clock: readers measure by it how far theirs differs."""
        now_s = self.board.workspaces.clock()
        response.headers["Date"] = formatdate(now_s, usegmt=True)

    async def _end_streams(self, app: web.Application) -> None:
        self.board.events.close()
