"""The claim is put around what the user declared, all of it, and once."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO

from middleware.send_lock import SendLock, current_async_claim, current_claim
from tests.redis.middleware.application import KEY, QUEUE, R1, Application, Unswept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from middleware.ledger import Ledger
    from tests.redis.middleware.application import Kind


def _declare(function: Callable[..., Any], broker: dramatiq.Broker) -> dramatiq.Actor[..., Any]:
    return dramatiq.Actor(
        function,
        broker=broker,
        actor_name="declared",
        queue_name=QUEUE,
        priority=0,
        options={"dispatch_once": KEY, "send_lock": KEY},
    )


def _declared_with_a_decorator(broker: dramatiq.Broker, kind: Kind) -> list[str]:
    """The delivery that held the claim when the decorator ran, for each time it did."""
    ran: list[str] = []

    def counted(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def counting(*args: str) -> None:
            ran.append(str(current_claim().delivery))
            function(*args)

        return counting

    def acounted(function: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        @functools.wraps(function)
        async def counting(*args: str) -> None:
            ran.append(str(current_async_claim().delivery))
            await function(*args)

        return counting

    def send(tenant: str, request_id: str, thread_ts: str | None = None) -> None:
        """Performs nothing."""

    async def send_async(tenant: str, request_id: str, thread_ts: str | None = None) -> None:
        """Performs nothing."""

    _declare(counted(send) if kind == "sync" else acounted(send_async), broker)
    return ran


def test_a_decorator_of_the_users_own_runs_inside_the_claim(ledger: Ledger, kind: Kind) -> None:
    # Given
    app = Application(ledger, kind)
    ran = _declared_with_a_decorator(app.broker, kind)

    # When
    with app.working():
        app.broker.get_actor("declared").send(R1.tenant, R1.id)
        app.join()

    # Then
    assert ran == [str(R1)]


def test_a_plain_function_that_runs_a_coroutine_by_itself_stays_plain(ledger: Ledger) -> None:
    # Given
    app = Application(ledger)
    ran: list[str] = []

    async def coroutine(tenant: str, request_id: str, thread_ts: str | None = None) -> None:
        raise NotImplementedError((tenant, request_id, thread_ts))

    @functools.wraps(coroutine)
    def plain(*_args: str) -> None:
        ran.append(str(current_claim().delivery))

    _declare(plain, app.broker)

    # When
    with app.working():
        app.broker.get_actor("declared").send(R1.tenant, R1.id)
        app.join()

    # Then
    assert ran == [str(R1)]


def test_an_actor_made_from_another_ones_function_is_guarded_by_its_own_ledger(
    ledger: Ledger, distant_ledger: Ledger, kind: Kind
) -> None:
    # Given
    app = Application(distant_ledger, kind)
    second = Application(ledger, kind)
    second.broker = StubBroker(middleware=[AsyncIO(), Unswept(ledger), SendLock(ledger)])

    # When
    second.actor = _declare(app.actor.fn, second.broker)
    app.broker.middleware.clear()
    second.send_and_work()

    # Then
    assert second.noted() == ["accepted", "dispatched", "claimed", "sending", "sent"]
    assert len(app.provider.posts) == 1
