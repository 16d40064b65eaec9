"""A worker that cannot keep the promise does not start; one whose store is away only waits."""

from __future__ import annotations

from contextlib import closing
from threading import enumerate as living_threads
from typing import TYPE_CHECKING

import dramatiq
import pytest
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO

from middleware.dispatch_once import DispatchOnce
from middleware.errors import GuardFailed, GuardMisdeclared, StoreRefused
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.send_lock import SendLock
from middleware.store import Store
from middleware.timing import Timing
from tests.redis.middleware.application import KEY, QUEUE, Application
from tests.waiting import wait_until

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock
    from sandbox.servers import ValkeyProcess
    from tests.lossy_proxy import LossyProxy
    from tests.redis.middleware.application import Kind


def _send(tenant: str, request_id: str, thread_ts: str | None = None) -> None:
    raise NotImplementedError((tenant, request_id, thread_ts))


def test_fact_2a_an_actor_that_opted_in_and_is_not_wrapped_stops_the_boot(ledger: Ledger) -> None:
    # Given
    broker = StubBroker(middleware=[AsyncIO()])
    options = {"dispatch_once": KEY, "send_lock": KEY}
    dramatiq.Actor(
        _send, broker=broker, actor_name="send", queue_name=QUEUE, priority=0, options=options
    )
    broker.add_middleware(DispatchOnce(ledger))
    broker.add_middleware(SendLock(ledger))

    # When
    with pytest.raises(GuardMisdeclared) as refusal:
        dramatiq.Worker(broker).start()

    # Then
    assert "send" in str(refusal.value)
    _assert_the_process_can_end()


def test_an_actor_that_is_dispatched_once_and_never_settled_stops_the_boot(ledger: Ledger) -> None:
    # Given
    broker = StubBroker(middleware=[AsyncIO(), DispatchOnce(ledger)])
    dramatiq.actor(broker=broker, queue_name=QUEUE, dispatch_once=KEY)(_send)

    # When
    with pytest.raises(GuardMisdeclared) as refusal:
        dramatiq.Worker(broker).start()

    # Then
    assert "send_lock" in str(refusal.value)
    _assert_the_process_can_end()


def test_a_store_with_another_number_of_partitions_stops_the_boot(
    ledger: Ledger, valkey: ValkeyProcess, prefix: str
) -> None:
    # Given
    ledger.admit()
    with closing(Store(valkey.url)) as store:
        app = Application(Ledger(store, Keys(prefix, partitions=3), Timing()))

        # When
        with pytest.raises(StoreRefused) as refusal, app.working():
            pass

    # Then
    assert "partitions" in str(refusal.value)
    _assert_the_process_can_end()


def test_a_url_that_is_none_stops_the_boot(prefix: str) -> None:
    # Given
    with closing(Store("http://127.0.0.1")) as store:
        app = Application(Ledger(store, Keys(prefix), Timing()))

        # When
        with pytest.raises(GuardFailed) as refusal, app.working():
            pass

    # Then
    assert "ValueError" in str(refusal.value)
    _assert_the_process_can_end()


def test_a_url_that_is_none_refuses_the_enqueue(prefix: str) -> None:
    # Given
    with closing(Store("http://127.0.0.1")) as store:
        app = Application(Ledger(store, Keys(prefix), Timing()))

        # When
        with pytest.raises(GuardFailed):
            app.send()

    # Then
    assert app.queued() == 0


def test_a_store_that_is_away_at_boot_is_waited_for(
    ledger: Ledger, distant_ledger: Ledger, kind: Kind, proxy: LossyProxy, clock: ManualClock
) -> None:
    # Given
    Application(ledger, kind).accept()
    clock.advance(ms=ledger.timing.dispatch_window_ms)
    app = Application(distant_ledger, kind, dispatcher=DispatchOnce)
    proxy.down()

    # When
    with app.working():
        started_meanwhile = len(app.provider.started)
        proxy.up()

        # Then
        wait_until(lambda: app.state() == "sent", description="the sweeper dispatches it")
    assert started_meanwhile == 0


def _assert_the_process_can_end() -> None:
    assert get_event_loop_thread() is None
    assert not any(isinstance(thread, EventLoopThread) for thread in living_threads())
