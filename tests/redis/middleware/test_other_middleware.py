"""Beside Dramatiq's own middleware the guard holds; what cannot go together is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO, CurrentMessage, MiddlewareError
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend

from middleware.dispatch_once import DispatchOnce
from middleware.errors import GuardMisdeclared, PayloadRefused
from middleware.send_lock import SendLock
from tests.redis.middleware.application import KEY, QUEUE, R1, Application

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq import Middleware

    from middleware.ledger import Ledger
    from tests.redis.middleware.application import Kind


# They carry no types.
_results: Callable[..., Middleware] = Results
_run: Callable[[dramatiq.pipeline], object] = dramatiq.pipeline.run


def test_a_result_says_nothing_of_the_outcome(ledger: Ledger, kind: Kind) -> None:
    # Given
    backend = StubBackend()
    app = Application(ledger, kind, others=(_results(backend=backend),), store_results=True)
    message = app.actor.message(R1.tenant, R1.id)

    # When
    with app.working():
        app.broker.enqueue(message)
        app.join()

    # Then
    assert message.get_result(backend=backend) is None
    assert app.told() == ["sent"]


def test_the_current_message_is_there_inside_the_claim(ledger: Ledger) -> None:
    # Given
    app = Application(ledger, others=(CurrentMessage(),))
    seen: list[str] = []

    def look() -> bool:
        message = CurrentMessage.get_current_message()
        assert message is not None
        seen.append(message.message_id)
        return True

    app.provider.starts.come(look)

    # When
    with app.working():
        message_id = app.send()
        app.join()

    # Then
    assert seen == [message_id]


def test_a_guarded_actor_starts_no_pipeline(ledger: Ledger, kind: Kind) -> None:
    # Given
    app = Application(ledger, kind)
    messages = [app.actor.message("acme", each) for each in ("r1", "r2")]

    # When
    with pytest.raises(PayloadRefused) as refusal:
        _run(dramatiq.pipeline(messages, broker=app.broker))

    # Then
    assert "pipe_target" in str(refusal.value)
    assert app.queued() == 0


def test_a_guarded_actor_takes_no_result_from_a_pipeline(ledger: Ledger, kind: Kind) -> None:
    # Given
    app = Application(ledger, kind)

    @dramatiq.actor(broker=app.broker, queue_name=QUEUE)
    def first() -> str:
        return "hello"

    # When
    with app.working():
        messages = [first.message(), app.actor.message(R1.tenant, R1.id, None)]
        _run(dramatiq.pipeline(messages, broker=app.broker))
        app.join()

    # Then
    assert app.state() == "none"
    assert app.provider.started == []


@pytest.mark.parametrize("later", [[], [AsyncIO]], ids=["never", "later"])
def test_a_coroutine_whose_loop_does_not_come_before_its_guard_stops_the_boot(
    ledger: Ledger, later: list[type[Middleware]]
) -> None:
    # Given
    others = [each() for each in later]
    broker = StubBroker(middleware=[DispatchOnce(ledger), SendLock(ledger), *others])

    @dramatiq.actor(broker=broker, queue_name=QUEUE, dispatch_once=KEY, send_lock=KEY)
    async def send(tenant: str, request_id: str, thread_ts: str | None = None) -> None:
        raise NotImplementedError((tenant, request_id, thread_ts))

    # When
    with pytest.raises(MiddlewareError) as refusal:
        dramatiq.Worker(broker).start()

    # Then
    assert isinstance(refusal.value, GuardMisdeclared)
    assert "AsyncIO" in str(refusal.value)
