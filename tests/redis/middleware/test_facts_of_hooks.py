"""What Dramatiq's hooks do that decided the middleware's shape, by number (design, facts)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, TimeLimitExceeded

from middleware.delivery_key import DeliveryKey
from middleware.errors import GuardFailed, GuardMisdeclared, LedgerUnavailable
from tests.redis.middleware.application import QUEUE, Application

if TYPE_CHECKING:
    from dramatiq import Broker
    from dramatiq.broker import MessageProxy
    from dramatiq.brokers.redis import RedisBroker

    from middleware.ledger import Ledger
    from tests.lossy_proxy import LossyProxy
    from tests.redis.middleware.application import Kind


class _AfterMessages(Middleware):
    """Somebody else's middleware: `raises` after the first message, and notes each call."""

    def __init__(self, raises: BaseException) -> None:
        self.told: list[BaseException | None] = []
        self._raises = raises

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        self.told.append(exception)
        if len(self.told) == 1:
            raise self._raises


def test_fact_1_a_store_failure_in_before_enqueue_refuses_the_enqueue(
    distant_ledger: Ledger, proxy: LossyProxy
) -> None:
    # Given
    app = Application(distant_ledger)
    proxy.down()

    # When
    with pytest.raises(LedgerUnavailable):
        app.send()

    # Then
    assert app.queued() == 0


def test_fact_1_a_store_failure_keeps_the_message_from_redis_too(
    distant_ledger: Ledger, proxy: LossyProxy, queue: RedisBroker
) -> None:
    # Given
    app = Application(distant_ledger, broker=queue)
    proxy.down()

    # When
    with pytest.raises(LedgerUnavailable):
        app.send()

    # Then
    assert queue.do_qsize(QUEUE) == 0


def test_fact_1_a_failure_that_nobody_foresaw_refuses_the_enqueue_too(ledger: Ledger) -> None:
    # Given
    def mistaken(_arguments: object) -> None:
        raise KeyError

    app = Application(ledger, key=DeliveryKey(tenant="tenant", id="request_id", payload=mistaken))

    # When
    with pytest.raises(GuardFailed):
        app.send()

    # Then
    assert app.queued() == 0


def test_fact_2_what_others_raise_after_a_message_leaves_it_settled(
    ledger: Ledger, kind: Kind
) -> None:
    # Given
    app = Application(ledger, kind, others=(_AfterMessages(RuntimeError()),))

    # When
    app.send_and_work()

    # Then
    assert app.state() == "sent"
    assert app.told() == ["sent"]


def test_fact_2_an_interrupt_after_a_message_leaves_it_settled_though_hooks_are_told_a_failure(
    ledger: Ledger, kind: Kind
) -> None:
    # Given
    interrupt = TimeLimitExceeded()
    others = _AfterMessages(interrupt)
    app = Application(ledger, kind, others=(others,))

    # When
    app.send_and_work()

    # Then
    assert others.told == [None, interrupt]
    assert app.state() == "sent"
    assert len(app.provider.posts) == 1


def test_fact_2a_options_are_checked_before_the_actor_is_declared(ledger: Ledger) -> None:
    # Given
    broker = StubBroker(middleware=[])

    # When
    with pytest.raises(GuardMisdeclared):
        Application(ledger, broker=broker, max_retries=3)

    # Then
    assert broker.get_declared_actors() == set()


def test_fact_2a_declared_again_on_another_broker_an_actor_is_guarded_once(
    ledger: Ledger, kind: Kind
) -> None:
    # Given
    app = Application(ledger, kind)
    other = Application(ledger, kind)
    other.broker.actors.clear()

    # When
    app.actor.broker = other.broker
    other.broker.declare_actor(app.actor)
    other.actor = app.actor
    other.send_and_work()

    # Then
    assert other.noted() == ["accepted", "dispatched", "claimed", "sending", "sent"]
    assert len(app.provider.started) == 1
