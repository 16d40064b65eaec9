"""The stand-in for tests: it runs in a thread of its own, and every method here is thread-safe.

State belongs to the server's loop; a call from outside is carried there and waited for.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.servers import free_port
from sandbox.slack.conditions import Conditions
from sandbox.slack.server import SlackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from types import TracebackType
    from typing import Self

    from sandbox.slack.board import Board
    from sandbox.slack.faults import Fault
    from sandbox.slack.posts import Attempt, Post

T = TypeVar("T")

# Nothing that is carried to the loop waits for anything.
_ANSWER_S = 10.0


class SlackSandbox:
    """Give `url` to a client as Slack's; after the context `posts` and `attempts` can be read."""

    def __init__(
        self,
        *,
        port: int | None = None,
        clock: Callable[[], float] = time.time,
        **conditions: Any,  # noqa: ANN401 - the fields of Conditions
    ) -> None:
        """`clock` is Slack's own; `conditions` as for `change`."""
        self._server = SlackServer(
            port=free_port() if port is None else port,
            conditions=Conditions(**conditions),
            clock=clock,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = asyncio.Event()

    @property
    def url(self) -> str:
        """For POSTONCE_SLACK_URL, or a client's base_url."""
        return f"{self._server.root}/api/"

    @property
    def page_url(self) -> str:
        return f"{self._server.root}/"

    @property
    def posts(self) -> tuple[Post, ...]:
        """What would be in Slack now, over all channels, in the order of posting."""
        return self._carried(lambda board: board.workspaces.posts())

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every request that reached chat.postMessage, stored or not, in the order of arrival."""
        return self._carried(lambda board: board.tally.attempts)

    @property
    def counters(self) -> dict[str, Any]:
        """`received`, `stored`, `duplicates`, `by_marker`, `by_channel`, `faults` (by name)."""
        return self._carried(
            lambda board: {**board.tally.counters(), "faults": dict(board.faults.hits)}
        )

    @property
    def conditions(self) -> Conditions:
        return self._carried(lambda board: board.conditions)

    def change(self, **changes: Any) -> None:  # noqa: ANN401 - the fields of Conditions
        """Change how it behaves to everybody: `change(history_lag_ms=500)`."""

        def changed(board: Board) -> None:
            board.conditions = board.conditions.changed(**changes)

        self._carried(changed)

    def fault(self, *faults: Fault) -> None:
        """Added behind those that are in force."""
        self._carried(lambda board: [board.faults.add(fault) for fault in faults])

    def clear_faults(self) -> None:
        self._carried(lambda board: board.faults.clear())

    def clear(self) -> None:
        """Messages, attempts, counters and faults go; what was declared, and conditions, stay."""
        self._carried(lambda board: board.clear())

    def remove(self, post: Post) -> bool:
        """As a person deletes a message; False when there was none."""
        return self._carried(
            lambda board: board.remove(team=post.team, channel=post.channel, ts=post.ts)
        )

    def declare_team(
        self, team: str, *, name: str | None = None, scopes: tuple[str, ...] | None = None
    ) -> None:
        self._carried(lambda board: board.declare_team(team, name=name, scopes=scopes))

    def declare_token(self, token: str, *, team: str, bot_id: str | None = None) -> None:
        """With `bot_id`, the token of another app in the same team."""
        self._carried(lambda board: board.workspaces.declare_token(token, team=team, bot_id=bot_id))

    def declare_channel(
        self,
        team: str,
        channel: str,
        *,
        name: str | None = None,
        archived: bool | None = None,
        member: bool | None = None,
    ) -> None:
        """Make or change it; what is None stays as it is."""
        self._carried(
            lambda board: board.declare_channel(
                team, channel, name=name, archived=archived, member=member
            )
        )

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Meanwhile connections are refused; what was posted stays."""
        self._awaited(self._server.refuse())
        try:
            yield
        finally:
            self._awaited(self._server.listen())

    def start(self) -> Self:
        """Return when it listens; raises SlackDidNotStart."""
        listening: Future[None] = Future()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._run(listening),), name="slack-sandbox", daemon=True
        )
        self._thread.start()
        listening.result(_ANSWER_S)
        return self

    def stop(self) -> None:
        """Answers still held back are never given."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def _run(self, listening: Future[None]) -> None:
        try:
            await self._server.start()
        except Exception as error:  # noqa: BLE001 - it is raised where `start` was called
            listening.set_exception(error)
            return
        self._loop = asyncio.get_running_loop()
        listening.set_result(None)
        await self._stopping.wait()
        await self._server.stop()

    def _awaited(self, coroutine: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None, "start it first"
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_ANSWER_S)

    def _carried(self, ask: Callable[[Board], T]) -> T:
        board = self._server.board
        if self._loop is None:
            # Nothing else touches the board before the start and after the stop.
            return ask(board)

        async def asked() -> T:
            return ask(board)

        return self._awaited(asked())
