"""The whole way in threads of this process: projector, sweeper and workers as in production, on a
real server and a real stand-in for Slack.

What runs may be given ways of its own to the ledger and to the queue, for a test to break; the test
itself always reaches both.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from uuid import uuid4

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import raise_thread_exception

from actors.queue import make_broker
from actors.send_message import declare_send_message
from actors.slack.installations import Installations
from actors.slack_connection import SlackConnection
from actors.tenants_file import read_tenants_file
from middleware.dispatch_once import DispatchOnce
from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.script import Script, digest
from middleware.send_lock import SendLock
from middleware.store import Store
from middleware.sweeper import Sweeper
from middleware.timing import Timing
from projector.actor_message import QUEUE_NAME, actor_message
from projector.configure import configure
from projector.projector import Projector
from projector.stats import stats
from sandbox.slack import SlackSandbox
from tests.redis.ledger_view import LedgerView
from tests.system.deliveries import OPS, SLOW, TENANT, Deliveries
from tests.system.guarantees.points import PointedGateway
from tests.waiting import wait_until

if TYPE_CHECKING:
    from types import TracebackType

    import redis
    from dramatiq import Message
    from dramatiq.middleware import Interrupt, Middleware

    from actors.slack.gateway import SlackGateway
    from middleware.answers import CancelAnswer
    from middleware.script import Call
    from tests.system.guarantees.points import AtPoint

T = TypeVar("T")

OTHER_TENANT = "globex"
TENANTS = f"""
tenants:
  {TENANT}:
    workspaces: {{main: {{team_id: T1}}}}
    channels:
      ops: {{workspace: main, id: {OPS}}}
      slow: {{workspace: main, id: {SLOW}}}
    templates: {{hi: {{text: "Hello {{{{ name }}}}"}}}}
  {OTHER_TENANT}:
    workspaces: {{main: {{team_id: T2}}}}
    channels: {{ops: {{workspace: main, id: {OPS}}}}}
    templates: {{hi: {{text: "Hello {{{{ name }}}}"}}}}
"""
# The relations of the contract hold, and a doubt may be looked into after about a second.
SHORT: dict[str, int] = {
    "post_deadline_ms": 1_000,
    "lease_ms": 1_500,
    "settle_delay_ms": 300,
    "dispatch_window_ms": 500,
}
# Nothing that waits for the end of one of these ends within a test.
LONG_MS = 60_000

_POLL_MS = 25
_PARTITION_LEASE_MS = 400


class EveryTeam(Installations):
    """Each team has the app installed; the token tells the stand-in whose it is."""

    def __init__(self) -> None:
        super().__init__("env:", environ={})

    def token_for(self, team_id: str) -> str:
        return f"xoxb-{team_id}"


class SmallSystem(Deliveries):
    """Everything that was started ends with the context, and its keys go."""

    patience_s = 12.0

    def __init__(
        self,
        store_url: str,
        prefix: str,
        *,
        ledger_way: str | None = None,
        queue_way: str | None = None,
        installations: Installations | None = None,
        at: AtPoint | None = None,
        partitions: int = 2,
        others: tuple[Middleware, ...] = (),
        **timing: int,
    ) -> None:
        """`at` is awaited at the points of each delivery, `others` come before the guard, and
        `timing` changes what SHORT says.
        """
        keys = Keys(prefix, partitions=partitions)
        contract = Timing(**{**SHORT, **timing})
        super().__init__(Ledger(Store(store_url), keys, contract), SlackSandbox())
        self.workers_ledger = Ledger(Store(ledger_way or store_url), keys, contract)
        self.broker = make_broker(queue_way or store_url, prefix=f"{prefix}-queue")
        self._installations = installations or EveryTeam()
        self._at = at
        self._others = others
        self._running = ExitStack()
        self._workers: list[dramatiq.Worker] = []
        self._projectors: list[Projector] = []

    def __enter__(self) -> Self:
        self._running.callback(self.ledger.store.close)
        self._running.callback(self.workers_ledger.store.close)
        self._running.callback(self.broker.close)
        self._running.enter_context(self.slack)
        configure(self.ledger, read_tenants_file(TENANTS))
        for each in (*self._others, DispatchOnce(self.workers_ledger)):
            self.broker.add_middleware(each)
        self.broker.add_middleware(SendLock(self.workers_ledger))
        self.broker.add_middleware(SlackConnection(self._gateway()))
        self.actor = declare_send_message(self.broker)
        self._running.callback(self.stop_projector)
        self._running.callback(self.stop_worker)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()

    def start_projector(self, *, lease_ms: int = _PARTITION_LEASE_MS) -> None:
        projector = Projector(
            self.workers_ledger, self.broker, lease_ms=lease_ms, block_ms=_POLL_MS
        )
        projector.start()
        self._projectors.append(projector)

    def stop_projector(self) -> None:
        for projector in self._projectors:
            projector.stop()
        self._projectors.clear()

    def forget_position(self) -> None:
        """So that the log is folded from its beginning."""
        for partition in range(self.ledger.keys.partitions):
            self._client.unlink(self.ledger.keys.projection(partition))

    def unfolded(self) -> int:
        return stats(self.ledger).projector_lag

    def start_worker(self, *, threads: int = 4) -> None:
        """With its sweeper. One at a time: they would share an event loop."""
        worker = dramatiq.Worker(self.broker, worker_timeout=_POLL_MS, worker_threads=threads)
        worker.start()
        self._workers.append(worker)

    def stop_worker(self) -> None:
        """Return when it has ended whatever it had in its hands."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()

    def interrupt_worker(self, interrupt: type[Interrupt]) -> None:
        """Raise it in each of its threads, as Dramatiq's own time limit and shutdown do."""
        for worker in self._workers:
            for thread in worker.workers:
                # Dramatiq has types for what it takes, and none for the call.
                raise_thread_exception(thread.ident, interrupt)  # type: ignore[no-untyped-call]

    def start_sweeper(self) -> Sweeper:
        """Alone, where no worker is there to have one."""
        sweeper = Sweeper(self.workers_ledger, self.broker)
        sweeper.start()
        self._running.callback(sweeper.stop)
        return sweeper

    def start(self) -> Self:
        self.start_projector()
        self.start_worker()
        return self

    def message(self, message_request_id: str, *, thread_ts: str | None = None) -> Message[Any]:
        """One for the delivery, not sent yet; each has an id of its own."""
        return actor_message(
            Delivery(TENANT, message_request_id), thread_ts=thread_ts, message_id=str(uuid4())
        )

    def put_on_the_queue(self, message: Message[Any]) -> None:
        """Past every guard, as a queue that repeats its messages does."""
        unguarded = make_broker(self.ledger.store.url, prefix=f"{self.ledger.keys.prefix}-queue")
        unguarded.declare_queue(QUEUE_NAME)
        unguarded.enqueue(message)
        unguarded.close()

    def queued(self) -> int:
        """How many messages stand on the queue or are in a worker's hands."""
        return self._client.hlen(f"{self.ledger.keys.prefix}-queue:{{queue}}:{QUEUE_NAME}.msgs")

    def queued_for_workers(self) -> int:
        """How many stand on the queue, by the way that what runs has to it."""
        assert isinstance(self.broker, RedisBroker)
        length: int = self.broker.do_qsize(QUEUE_NAME)
        return length

    def lose_the_queue(self) -> None:
        for key in self._client.scan_iter(match=f"{self.ledger.keys.prefix}-queue*"):
            self._client.unlink(key)

    def run(self, call: Call[T]) -> T:
        """Past the ways that are given to what runs."""
        return self.ledger.run(call)

    def cancel(self, message_request_id: str) -> CancelAnswer:
        return self.run(self.ledger.cancel(Delivery(TENANT, message_request_id)))

    def record(self, message_request_id: str) -> dict[str, str]:
        return LedgerView(self.ledger).record(Delivery(TENANT, message_request_id))

    def damage(self, message_request_id: str, field: str, value: str) -> None:
        """Write into its record what no script writes."""
        key = self.ledger.keys.delivery(Delivery(TENANT, message_request_id))
        self._client.hset(key, field, value)

    def state(self, message_request_id: str) -> str:
        return self.record(message_request_id).get("state", "none")

    def noted(self, message_request_id: str) -> list[str]:
        """What the ledger noted of it, in order, without times and details."""
        return [each.what for each in self.evidence_of(message_request_id)]

    def open_views(self) -> list[str]:
        """The lists of what is open, as folded."""
        return list(self._client.scan_iter(match=f"{self.ledger.keys.prefix}:*:listed:*:open"))

    def listed_as_open(self) -> set[str]:
        views = (self._client.zrange(each, 0, -1) for each in self.open_views())
        return {cast("str", each) for view in views for each in view}

    def wait_for_state(self, message_request_id: str, *states: str) -> str:
        return wait_until(
            lambda: state if (state := self.state(message_request_id)) in states else "",
            description=lambda: f"to be {' or '.join(states)}; {self.standing(message_request_id)}",
            timeout_s=self.patience_s,
        )

    def let_pass(self, *, ms: int) -> None:
        """Wait for the server's clock, on which everything in the ledger happens."""
        until_ms = self.server_time_ms() + ms
        wait_until(
            lambda: self.server_time_ms() >= until_ms, description="time passes", timeout_s=30
        )

    def server_time_ms(self) -> int:
        seconds, micros = self._client.time()
        return seconds * 1_000 + micros // 1_000

    @property
    def _client(self) -> redis.Redis:
        return self.ledger.store.client

    def _gateway(self) -> SlackGateway:
        return PointedGateway(
            self._at,
            base_url=self.slack.url,
            installations=self._installations,
            post_deadline_ms=self.ledger.timing.post_deadline_ms,
        )


def name_of_script(name: str) -> bytes:
    """By which the server is asked for this transition."""
    script = Script.load("middleware", name, prelude="record")
    return digest(script.body(clock_is_argument=False, identity_is_argument=False)).encode()
