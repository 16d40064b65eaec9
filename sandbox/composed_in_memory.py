"""The composition root for tests: broker, ledger and actor as `actors.app` has them, in memory.

What it changes in the process it changes back.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dramatiq.asyncio import get_event_loop_thread, set_event_loop_thread
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO, default_middleware

import actors.app
from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations
from actors.slack_connection import SlackConnection
from middleware.dispatch_once import DispatchOnce
from middleware.send_lock import SendLock
from middleware.timing import SECOND_MS
from projector.connection import get_ledger, set_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dramatiq import Broker, Worker

    from middleware.stub_ledger import StubLedger

# Real time, and all that a test waits for an answer that Slack never gives.
_POST_DEADLINE_MS = SECOND_MS


@contextmanager
def composed_in_memory(ledger: StubLedger, *, slack_url: str) -> Iterator[StubBroker]:
    """A broker with the actor `send_message`; its messages wait until a worker is started."""
    gateway = SlackGateway(
        base_url=slack_url,
        installations=_EveryTeam("env:"),
        post_deadline_ms=min(_POST_DEADLINE_MS, ledger.timing.post_deadline_ms),
        # A rate limit's time passes as the test says.
        clock_s=lambda: ledger.clock.now_ms / SECOND_MS,
    )
    broker = StubBroker(
        middleware=[
            *(each() for each in default_middleware),
            AsyncIO(),
            _DispatchOnceUnswept(ledger),
            SendLock(ledger),
            SlackConnection(gateway),
        ],
        # What an actor raises is the ledger's to settle.
        fail_fast_default=False,
    )
    actor = actors.app.send_message
    before = (get_ledger(), actor.broker, get_event_loop_thread())
    try:
        set_ledger(ledger)
        actor.broker = broker
        # It was wrapped when `actors.app` declared it; declared again it stays as it is.
        broker.declare_actor(actor)
        yield broker
    finally:
        previous_ledger, actor.broker, loop_thread = before
        set_ledger(previous_ledger)
        set_event_loop_thread(loop_thread)
        broker.close()


class _DispatchOnceUnswept(DispatchOnce):
    """Without the sweeper's thread: the test says when time passes, and so when to sweep."""

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        pass


class _EveryTeam(Installations):
    """Each team has the app installed; the token tells the stand-in whose it is."""

    def token_for(self, team_id: str) -> str:
        return f"xoxb-{team_id}-test"
