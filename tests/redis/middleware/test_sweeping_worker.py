"""Each worker sweeps as long as it works: the thread starts with it and ends with it."""

from __future__ import annotations

import logging
from contextlib import closing
from threading import Event
from threading import enumerate as living_threads
from typing import TYPE_CHECKING, Any

import pytest
from dramatiq import Middleware

from middleware.dispatch_once import DispatchOnce
from middleware.keys import Delivery
from middleware.ledger import Ledger
from middleware.presence import living_workers
from middleware.sweeper import Sweeper
from tests.redis.middleware.application import Application
from tests.redis.middleware.stores import InterruptedStore
from tests.waiting import wait_until

if TYPE_CHECKING:
    from dramatiq import Broker, Message

    from middleware.stub_ledger import ManualClock
    from sandbox.servers import ValkeyProcess
    from tests.lossy_proxy import LossyProxy
    from tests.redis.middleware.application import Kind


def _sweepers() -> int:
    return sum(thread.name == "sweeper" for thread in living_threads())


@pytest.fixture
def swept(ledger: Ledger, kind: Kind) -> Application:
    return Application(ledger, kind, dispatcher=DispatchOnce)


def test_it_starts_and_ends_with_the_worker(swept: Application) -> None:
    # Given
    before = _sweepers()

    # When
    with swept.working():
        during = _sweepers()

    # Then
    assert (before, during, _sweepers()) == (0, 1, 0)


def test_a_worker_that_only_waits_sends_what_becomes_due(
    swept: Application, clock: ManualClock
) -> None:
    # Given
    swept.accept(not_before_ms=clock.now_ms + 60_000)

    # When
    with swept.working():
        clock.advance(ms=60_000)

        # Then
        wait_until(lambda: swept.told() == ["sent"], description="it is swept and sent")


def test_a_store_that_goes_away_does_not_end_it(
    distant_ledger: Ledger,
    proxy: LossyProxy,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given
    app = Application(distant_ledger, dispatcher=DispatchOnce)
    app.accept()

    # When
    with app.working():
        proxy.down()
        wait_until(lambda: "sweep.waits" in caplog.text, description="it meets the outage")
        proxy.up()
        clock.advance(ms=app.ledger.timing.dispatch_window_ms)

        # Then
        wait_until(lambda: app.told() == ["sent"], description="it is swept and sent")


def test_what_nobody_foresaw_does_not_end_it(
    valkey: ValkeyProcess,
    ledger: Ledger,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given
    store = InterruptedStore(
        valkey.url, clock, script="due", interrupt=ZeroDivisionError(), has_run=False
    )
    with closing(store):
        distracted = Ledger(store, ledger.keys, ledger.timing)
        app = Application(distracted, dispatcher=DispatchOnce)
        app.accept()

        # When
        with app.working():
            wait_until(lambda: "sweep.failed" in caplog.text, description="it fails")
            clock.advance(ms=app.ledger.timing.dispatch_window_ms)

            # Then
            wait_until(lambda: app.told() == ["sent"], description="it is swept and sent")


def test_a_store_that_stands_still_does_not_keep_the_worker_from_ending(
    distant_ledger: Ledger, proxy: LossyProxy, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    caplog.set_level(logging.WARNING)
    app = Application(distant_ledger, dispatcher=DispatchOnce)
    distant_ledger.admit()

    # When
    with app.working():
        living = living_workers(distant_ledger)
        wait_until(lambda: distant_ledger.run(living) == 1, description="it has said that it lives")
        proxy.stall()
        wait_until(lambda: proxy.held > 0, description="its sweeper waits for the store")

    # Then
    assert "sweep.left_behind" in caplog.text
    proxy.flow()
    wait_until(lambda: _sweepers() == 0, description="it ends when the store answers")


class _HeldUp(Middleware):
    """A broker that takes the first message, and is not done with it until it is told."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = Event(), Event()

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        self.has_begun.set()
        self.may_end.wait()


def test_told_to_stop_it_leaves_the_rest_of_the_backlog_due(
    ledger: Ledger, clock: ManualClock
) -> None:
    # Given
    held_up = _HeldUp()
    app = Application(ledger, others=(held_up,))
    backlog = [Delivery(tenant, f"r{number}") for tenant in ("acme", "beta") for number in range(5)]
    for delivery in backlog:
        app.accept(delivery)
    clock.advance(ms=ledger.timing.dispatch_window_ms)
    sweeper = Sweeper(ledger, app.broker)
    sweeper.start()
    held_up.has_begun.wait()

    # When
    sweeper.stop()
    held_up.may_end.set()

    # Then
    wait_until(lambda: _sweepers() == 0, description="it ends after the message it was at")
    assert app.queued() == 1
    dues_ms = [int(app.record(delivery)["due"]) for delivery in backlog]
    assert sum(due_ms <= clock.now_ms for due_ms in dues_ms) == len(backlog) - 1
