"""`actors.app`, whose worker process stops itself (SIGSTOP) in the middle of its first POST.

Where is said by STOPS: at the `connect`, after the intent's reply and before the last look at the
clock; or at the `write`, between that look and the first byte. No signal from outside could hit the
second but by luck.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import aiohttp

from actors import app
from actors.settings import Settings
from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations
from actors.slack.session import SlackSession
from actors.slack_connection import SlackConnection
from projector.connection import get_ledger

if TYPE_CHECKING:
    from types import SimpleNamespace

STOPS = "TEST_STOPS"
STOPPED = "stops itself"

broker = app.broker


class StoppingSession(SlackSession):
    """Its own hooks come first, and these directly after them."""

    def _open(self) -> aiohttp.ClientSession:
        http = super()._open()
        hooks = aiohttp.TraceConfig()
        match os.environ[STOPS]:
            case "connect":
                hooks.on_request_start.append(_stop_once)
            case "write":
                hooks.on_request_chunk_sent.append(_stop_once)
        hooks.freeze()
        http.trace_configs.append(hooks)
        return http


class StoppingGateway(SlackGateway):
    def __init__(self, settings: Settings) -> None:
        post_deadline_ms = get_ledger().timing.post_deadline_ms
        super().__init__(
            base_url=settings.slack_url,
            installations=Installations(settings.installations),
            post_deadline_ms=post_deadline_ms,
        )
        self._session = StoppingSession(
            base_url=settings.slack_url, post_deadline_ms=post_deadline_ms
        )


_stopped = False


async def _stop_once(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, _about: object
) -> None:
    global _stopped  # noqa: PLW0603 - once in the life of the process
    if not _stopped:
        _stopped = True
        print(STOPPED, flush=True)  # noqa: T201 - into the log
        # To this thread: by another one it would be noticed a few bytes later.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


for middleware in broker.middleware:
    if isinstance(middleware, SlackConnection):
        middleware.gateway = StoppingGateway(Settings.from_environment())
