"""Real interrupts, raised into the thread as Dramatiq raises them, at every stage of a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq
import pytest

from middleware.ledger import Ledger
from middleware.send_lock import SendLock
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.interrupting import (
    QUICK,
    Lasting,
    boot_process,
    shutdown_notifications,
    time_limit,
    wait_for,
)

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock
    from tests.redis.middleware.application import Kind


@pytest.fixture
def ledger(ledger: Ledger) -> Ledger:
    return Ledger(ledger.store, ledger.keys, QUICK)


def test_fact_7_the_time_limit_in_the_middle_of_a_post_leaves_its_fate_unknown(
    ledger: Ledger, kind: Kind
) -> None:
    # Given
    app = Application(ledger, kind, others=(time_limit(),))
    app.provider.takes.come(Lasting(kind))
    boot_process(app)

    # When
    app.send_and_work()

    # Then
    assert app.state() == "uncertain"
    assert app.record()["target"] == '{"channel":"C1"}'


def test_fact_7_a_shutdown_in_the_middle_of_a_post_leaves_its_fate_unknown(
    ledger: Ledger, kind: Kind
) -> None:
    # Given
    app = Application(ledger, kind, others=(shutdown_notifications(),))
    posting = Lasting(kind)
    app.provider.takes.come(posting)

    # When
    with app.working():
        app.send()
        wait_for(posting.begun, "the POST is made")

    # Then
    assert app.state() == "uncertain"
    assert len(app.provider.posts) == 1


def test_an_interrupt_while_preparing_gives_the_delivery_back(ledger: Ledger, kind: Kind) -> None:
    # Given
    app = Application(ledger, kind, others=(time_limit(),))
    app.provider.prepares.come(Lasting(kind))
    boot_process(app)

    # When
    app.send_and_work()

    # Then
    assert app.state() == "waiting"
    assert app.record()["attempts"] == "1"
    assert app.provider.posts == []


def test_a_worker_that_is_told_to_end_while_preparing_uses_no_attempt(
    ledger: Ledger, kind: Kind
) -> None:
    # Given
    app = Application(ledger, kind, others=(shutdown_notifications(),))
    preparing = Lasting(kind)
    app.provider.prepares.come(preparing)

    # When
    with app.working():
        app.send()
        wait_for(preparing.begun, "it is prepared")

    # Then
    assert app.state() == "waiting"
    assert app.record()["attempts"] == "0"


def test_a_time_limit_counts_though_another_worker_has_ended(ledger: Ledger) -> None:
    # Given
    app = Application(ledger, "sync", others=(time_limit(),))
    app.provider.prepares.come(Lasting("sync"))
    boot_process(app)

    # When
    with app.working():
        # The lock alone is told of it: a second worker's event loop would outlive the test.
        another = dramatiq.Worker(app.broker, worker_threads=1)
        (lock,) = (each for each in app.broker.middleware if isinstance(each, SendLock))
        lock.before_worker_boot(app.broker, another)
        lock.before_worker_shutdown(app.broker, another)
        app.send()
        app.join()

    # Then
    assert app.record()["attempts"] == "1"


def test_an_interrupt_while_looking_puts_the_look_off(
    ledger: Ledger, kind: Kind, clock: ManualClock
) -> None:
    # Given
    app = Application(ledger, kind, others=(time_limit(),))
    app.provider.takes.come(OSError())
    app.provider.looks.come(Lasting(kind))
    boot_process(app)
    app.send_and_work()
    clock.advance(ms=QUICK.post_deadline_ms + QUICK.settle_delay_ms)

    # When
    app.sweep_and_work()

    # Then
    assert app.state() == "uncertain"
    assert app.noted()[-1] == "look told nothing"
    assert int(app.record()["due"]) > clock.now_ms
    assert "looks" not in app.record()
    assert len(app.provider.posts) == 1


def test_after_an_interrupt_the_worker_goes_on_with_other_deliveries(
    ledger: Ledger, kind: Kind
) -> None:
    # Given
    app = Application(ledger, kind, others=(time_limit(),))
    app.provider.takes.come(Lasting(kind))
    boot_process(app)
    second = type(R1)("acme", "r2")

    # When
    with app.working():
        app.send()
        app.send(second)
        app.join()

    # Then
    assert app.state() == "uncertain"
    assert app.state(second) == "sent"
