"""What the runs of one test process share: servers, a process to fork from, and a loop for doors.

Runs do not meet: each has a prefix in the store and a team in Slack of its own.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import redis

from sandbox.servers import ValkeyProcess
from sandbox.slack import SlackSandbox
from tests.system.crashing.effects import Namer, dramatiq_scripts, scripts_of_the_rooms
from tests.system.crashing.role_process import Forker

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path
    from types import TracebackType
    from typing import Self

T = TypeVar("T")

_FOREIGN = ("POSTONCE_", "SLACK_", "DRAMATIQ_", "dramatiq_")
_SOCKET = "observers"
# Doors do nothing that takes time.
_LOOP_S = 10.0


class Stage:
    """`directory` gets the logs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = ValkeyProcess(appendonly=True, config={"unixsocket": _SOCKET})
        self.slack = SlackSandbox()
        self._numbers = count(1)
        self._closing = ExitStack()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="doors", daemon=True)

    @property
    def observers_url(self) -> str:
        """Of the store, for whoever looks on: what comes by its port comes from a process."""
        return f"unix://{self.store.data_dir / _SOCKET}"

    @property
    def slack_port(self) -> int:
        port = urlsplit(self.slack.url).port
        assert port is not None
        return port

    def observer(self) -> redis.Redis:
        """The caller closes it."""
        # Who only looks on hears nothing for as long as the first process takes to start.
        return redis.Redis.from_url(
            self.observers_url, decode_responses=True, protocol=2, socket_timeout=None
        )

    def number(self) -> int:
        """Of the next run."""
        return next(self._numbers)

    def on_loop(self, coroutine: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_LOOP_S)

    def __enter__(self) -> Self:
        with ExitStack() as closing:
            closing.enter_context(self.store)
            closing.enter_context(self.slack)
            client = closing.enter_context(self.observer())
            # As on a server that has been in use: otherwise each script would first be refused.
            bodies = [body.encode() for body in scripts_of_the_rooms().values()]
            for body in [*bodies, *dramatiq_scripts().values()]:
                client.script_load(body)
            self.namer = Namer(client)
            self.forker = closing.enter_context(Forker(_environment()))
            self._thread.start()
            closing.callback(self._end_loop)
            self._closing = closing.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.close()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {
        **own,
        # How soon Dramatiq's consumer asks again: when idle, and after a lost connection.
        "dramatiq_worker_timeout": "100",
        "dramatiq_restart_delay": "100",
    }
