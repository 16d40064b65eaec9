"""A Dramatiq application with one guarded actor, as someone who uses the middleware sets it up."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO, default_middleware

from middleware.delivery_key import DeliveryKey
from middleware.dispatch_once import DispatchOnce, new_marker
from middleware.keys import Delivery
from middleware.ledger import Acceptance
from middleware.send_lock import SendLock, current_async_claim, current_claim
from middleware.sweeper import Sweeper
from tests.redis.ledger_view import LedgerView
from tests.redis.middleware.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dramatiq import Broker, Middleware, Worker

    from middleware.fates import LookAnswer, PostAnswer, Prepared
    from middleware.ledger import Ledger
    from middleware.post_by import PostBy

T = TypeVar("T")

Kind = Literal["sync", "async"]

R1 = Delivery("acme", "r1")
KEY = DeliveryKey(tenant="tenant", id="request_id", thread="thread_ts")
QUEUE = "default"
_WORKER_TIMEOUT_MS = 10


class Unswept(DispatchOnce):
    """Without the sweeper's thread: the test says when to sweep."""

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        pass


class Application:
    """Broker, middleware, actor, and the provider that the actor posts to."""

    def __init__(
        self,
        ledger: Ledger,
        kind: Kind = "sync",
        *,
        broker: Broker | None = None,
        key: DeliveryKey = KEY,
        dispatcher: type[DispatchOnce] = Unswept,
        others: tuple[Middleware, ...] | None = None,
        **options: Any,  # noqa: ANN401 - actor options are anything
    ) -> None:
        """`others` stand in place of Dramatiq's default middleware."""
        self.ledger = ledger
        self.provider = Provider()
        self.broker = StubBroker(middleware=[]) if broker is None else broker
        if others is None:
            others = tuple(each() for each in default_middleware)
        for each in (*others, AsyncIO(), dispatcher(ledger), SendLock(ledger)):
            self.broker.add_middleware(each)
        self.actor = declare(self.broker, self.provider, kind, key=key, **options)
        self._worker: Worker | None = None

    @contextmanager
    def working(self, *, threads: int = 1) -> Iterator[dramatiq.Worker]:
        worker = dramatiq.Worker(
            self.broker, worker_timeout=_WORKER_TIMEOUT_MS, worker_threads=threads
        )
        try:
            worker.start()
            self._worker = worker
            yield worker
        finally:
            self._worker = None
            worker.stop()

    def accept(self, delivery: Delivery = R1, **changed: Any) -> None:  # noqa: ANN401 - any field
        acceptance = Acceptance(
            fingerprint="f",
            marker=new_marker(),
            actor=self.actor.actor_name,
            queue=QUEUE,
            body="{}",
            **changed,
        )
        self.ledger.run(self.ledger.accept(delivery, acceptance))

    def send(self, delivery: Delivery = R1, **more: str) -> str:
        """The message's id."""
        return self.actor.send(delivery.tenant, delivery.id, **more).message_id

    def sweep(self) -> None:
        Sweeper(self.ledger, self.broker).sweep()

    def join(self) -> None:
        """Return when the queue is empty and nobody works."""
        if isinstance(self.broker, StubBroker):
            self.broker.join(QUEUE, fail_fast=False, timeout=20_000)
        else:
            assert isinstance(self.broker, RedisBroker)
            self.broker.join(QUEUE, interval=10, timeout=20_000)
        assert self._worker is not None
        self._worker.join()

    def send_and_work(self, delivery: Delivery = R1) -> None:
        with self.working():
            self.send(delivery)
            self.join()

    def sweep_and_work(self) -> None:
        with self.working():
            self.sweep()
            self.join()

    @property
    def view(self) -> LedgerView:
        return LedgerView(self.ledger)

    def record(self, delivery: Delivery = R1) -> Mapping[str, str]:
        return self.view.record(delivery)

    def state(self, delivery: Delivery = R1) -> str:
        return self.record(delivery).get("state", "none")

    def told(self, delivery: Delivery = R1) -> list[str]:
        """The outcome events that everyone may follow."""
        return self.view.snapshot(delivery).told(delivery)

    def noted(self, delivery: Delivery = R1) -> list[str]:
        """What the history tells, without times and details."""
        return [entry.what for entry in self.view.snapshot(delivery).history]

    def queued(self) -> int:
        assert isinstance(self.broker, StubBroker)
        length: int = self.broker.queues[QUEUE].qsize()
        return length


def declare(
    broker: Broker,
    provider: Provider,
    kind: Kind = "sync",
    *,
    key: DeliveryKey = KEY,
    **options: Any,  # noqa: ANN401 - actor options are anything
) -> dramatiq.Actor[..., Any]:
    """The same actor as a plain function and as a coroutine."""

    def send(tenant: str, request_id: str, thread_ts: str | None = None) -> None:
        if provider.start(tenant, request_id, thread_ts):
            current_claim().perform(provider.prepare, provider.post, provider.look)

    async def send_async(tenant: str, request_id: str, thread_ts: str | None = None) -> None:
        async def prepare() -> Prepared:
            return await _answer(provider.prepare())

        async def post(target: Mapping[str, str], payload: object, post_by: PostBy) -> PostAnswer:
            return await _answer(provider.post(target, payload, post_by))

        async def look(target: Mapping[str, str], intent_at_ms: int) -> LookAnswer:
            return await _answer(provider.look(target, intent_at_ms))

        if await _answer(provider.start(tenant, request_id, thread_ts)):
            await current_async_claim().perform(prepare, post, look)

    options = {"dispatch_once": key, "send_lock": key, **options}
    decorate: Callable[..., dramatiq.Actor[..., Any]] = dramatiq.actor(
        broker=broker, actor_name="send", queue_name=QUEUE, **options
    )
    return decorate(send if kind == "sync" else send_async)


async def _answer(answer: T | Awaitable[T]) -> T:
    """A test may let a coroutine answer, to be interrupted while it waits."""
    return await answer if isinstance(answer, Awaitable) else answer
