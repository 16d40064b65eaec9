"""Whatever dies, skips or loses a message: the record brings the delivery back, once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from dramatiq.middleware import AgeLimit, Middleware

from middleware.answers import Go, Granted
from middleware.fates import Absent
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.provider import TARGET

if TYPE_CHECKING:
    from dramatiq import Broker
    from dramatiq.broker import MessageProxy

    from middleware.ledger import Ledger
    from middleware.stub_ledger import ManualClock
    from tests.redis.middleware.application import Kind


class _FailsFirst(Middleware):
    """Fails the first message before its actor would run."""

    def __init__(self) -> None:
        self.told: list[tuple[object, BaseException | None]] = []

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        if not self.told:
            message.fail()

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        self.told.append((result, exception))


def test_fact_3_after_fail_in_an_earlier_hook_nothing_counts_as_sent(
    ledger: Ledger, kind: Kind
) -> None:
    # Given
    failing = _FailsFirst()
    app = Application(ledger, kind, others=(failing,))

    # When
    app.send_and_work()

    # Then
    assert failing.told == [(None, None)], "for hooks it looks like a success"
    assert app.state() == "waiting"
    assert app.provider.started == []


def test_fact_3_what_an_earlier_hook_failed_is_swept_and_sent(
    ledger: Ledger, kind: Kind, clock: ManualClock
) -> None:
    # Given
    app = Application(ledger, kind, others=(_FailsFirst(),))
    app.send_and_work()

    # When
    clock.advance(ms=ledger.timing.dispatch_window_ms)
    app.sweep_and_work()

    # Then
    assert app.state() == "sent"


def test_a_copy_while_another_worker_holds_the_claim_is_acknowledged(
    app: Application, clock: ManualClock
) -> None:
    # Given
    app.send()
    _claimed_by_another_worker(app)

    # When
    with app.working():
        app.join()

    # Then
    assert app.provider.started == []
    assert app.queued() == 0
    assert app.noted()[-1] == "held"
    assert int(app.record()["due"]) == clock.now_ms + app.ledger.timing.lease_ms


def test_what_a_killed_worker_had_claimed_is_sent_by_another(
    app: Application, clock: ManualClock
) -> None:
    # Given
    app.send()
    _claimed_by_another_worker(app)
    with app.working():
        app.join()

    # When
    clock.advance(ms=app.ledger.timing.lease_ms)
    app.sweep_and_work()

    # Then
    assert app.told() == ["sent"]
    assert app.record()["attempts"] == "2"


def test_what_a_killed_worker_was_posting_is_looked_for_first(
    app: Application, clock: ManualClock
) -> None:
    # Given
    app.send()
    _claimed_by_another_worker(app)
    intent = app.ledger.intend(R1, token="other", target=TARGET)
    assert isinstance(app.ledger.run(intent), Go)
    app.provider.looks.come(Absent())

    # When
    timing = app.ledger.timing
    clock.advance(ms=timing.lease_ms)
    app.sweep()
    clock.advance(ms=timing.post_deadline_ms + timing.settle_delay_ms)
    app.sweep_and_work()

    # Then
    assert app.provider.looked_at == [TARGET]
    assert app.told() == ["sent"]
    assert len(app.provider.posts) == 1


def test_a_queue_that_lost_everything_is_filled_again(app: Application, clock: ManualClock) -> None:
    # Given
    deliveries = [type(R1)("acme", f"r{number}") for number in range(5)]
    for delivery in deliveries:
        app.send(delivery)
    app.broker.flush_all()

    # When
    clock.advance(ms=app.ledger.timing.dispatch_window_ms)
    app.sweep_and_work()

    # Then
    assert [app.state(delivery) for delivery in deliveries] == ["sent"] * 5
    assert len(app.provider.posts) == 5


def test_what_was_accepted_and_never_dispatched_is_dispatched(
    app: Application, clock: ManualClock
) -> None:
    # Given
    app.accept(thread_ts="17.1")

    # When
    clock.advance(ms=app.ledger.timing.dispatch_window_ms)
    app.sweep_and_work()

    # Then
    assert app.told() == ["sent"]
    assert app.provider.started == [(R1.tenant, R1.id, "17.1")]


def test_a_message_older_than_the_brokers_age_limit_is_dispatched_as_a_new_one(
    ledger: Ledger, kind: Kind, clock: ManualClock
) -> None:
    # Given
    app = Application(ledger, kind, others=(AgeLimit(max_age=60_000),))
    old = dataclasses.replace(app.actor.message(R1.tenant, R1.id), message_timestamp=0)
    app.broker.enqueue(old)
    with app.working():
        app.join()
    dropped = app.state(), len(app.provider.started)

    # When
    clock.advance(ms=ledger.timing.dispatch_window_ms)
    app.sweep_and_work()

    # Then
    assert dropped == ("waiting", 0)
    assert app.told() == ["sent"]


def _claimed_by_another_worker(app: Application) -> None:
    claim = app.ledger.claim(R1, token="other", by="another worker, killed soon")
    assert isinstance(app.ledger.run(claim), Granted)
