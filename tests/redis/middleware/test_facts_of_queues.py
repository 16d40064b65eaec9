"""What queues and clients do that decided the middleware's shape, by number (design, facts)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import redis
from dramatiq.common import dq_name

from middleware.errors import AlreadyDispatched
from middleware.fates import NotNow
from tests.redis.middleware.application import QUEUE, R1, Application
from tests.redis.projector.guarding import redis_broker

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq.brokers.redis import RedisBroker

    from middleware.ledger import Ledger
    from middleware.stub_ledger import ManualClock
    from tests.lossy_proxy import LossyProxy
    from tests.redis.middleware.application import Kind

CANARY = "xoxb-canary"


def test_fact_4_waiting_is_the_ledgers_and_no_message_stays_with_the_broker(
    ledger: Ledger, kind: Kind, queue: RedisBroker
) -> None:
    # Given
    app = Application(ledger, kind, broker=queue)
    app.provider.takes.come(NotNow("rate_limited", delay_ms=30_000))

    # When
    app.send_and_work()

    # Then
    assert (queue.do_qsize(QUEUE), queue.do_qsize(dq_name(QUEUE))) == (0, 0)
    assert app.state() == "waiting"
    assert int(app.record()["due"]) >= int(app.record()["not_before"])


def test_fact_4_what_waited_is_dispatched_again_when_it_is_due(
    ledger: Ledger, kind: Kind, queue: RedisBroker, clock: ManualClock
) -> None:
    # Given
    app = Application(ledger, kind, broker=queue)
    app.provider.takes.come(NotNow("rate_limited", delay_ms=30_000))
    app.send_and_work()

    # When
    clock.advance(ms=30_000)
    app.sweep_and_work()

    # Then
    assert app.state() == "sent"
    assert app.record()["attempts"] == "1"


def test_fact_5_the_own_message_passes_the_hook_again_and_another_does_not(
    ledger: Ledger, kind: Kind, queue: RedisBroker
) -> None:
    # Given
    app = Application(ledger, kind, broker=queue)
    message = app.actor.send("acme", "r1")

    # When
    queue.enqueue(message)
    with pytest.raises(AlreadyDispatched) as refusal:
        app.send()

    # Then
    assert queue.do_qsize(QUEUE) == 2
    assert refusal.value.message_id == message.message_id


def test_fact_5_copies_of_the_own_message_post_once(
    ledger: Ledger, kind: Kind, queue: RedisBroker
) -> None:
    # Given
    app = Application(ledger, kind, broker=queue)
    message = app.actor.send("acme", "r1")
    for _ in range(3):
        queue.enqueue(message)

    # When
    with app.working(threads=4):
        app.join()

    # Then
    assert app.state() == "sent"
    assert len(app.provider.posts) == 1


def test_fact_5_when_the_enqueue_fails_after_the_hook_the_sweeper_enqueues_the_message(
    ledger: Ledger, kind: Kind, clock: ManualClock, proxy: LossyProxy, prefix: str
) -> None:
    # Given
    broker = redis_broker(proxy.url, namespace=f"{prefix}-queue")
    with closing(broker.client):
        app = Application(ledger, kind, broker=broker)
        broker.do_qsize(QUEUE)
        proxy.down()
        with pytest.raises(redis.ConnectionError):
            app.send()
        kept = app.record()["message_id"]
        proxy.up()

        # When
        clock.advance(ms=ledger.timing.dispatch_window_ms)
        app.sweep_and_work()

    # Then
    assert app.state() == "sent"
    assert kept[:8] in str(app.view.snapshot(R1).history)


def test_fact_6_nothing_that_an_actor_raised_reaches_redis(
    ledger: Ledger, kind: Kind, queue: RedisBroker, client: redis.Redis, prefix: str
) -> None:
    # Given
    app = Application(ledger, kind, broker=queue)
    app.provider.prepares.come(ValueError(CANARY))

    # When
    app.send_and_work()

    # Then
    dumps = [client.dump(key) for key in client.scan_iter(match=f"{prefix}*")]
    assert CANARY not in str(dumps)
    assert app.state() == "waiting"


@pytest.mark.parametrize("name", ["dispatch", "claim", "intend", "settle_sent"])
def test_fact_8_a_script_that_runs_twice_because_its_reply_was_lost_does_nothing_twice(
    distant_ledger: Ledger,
    kind: Kind,
    proxy: LossyProxy,
    lose_reply_to: Callable[..., None],
    name: str,
) -> None:
    # Given
    app = Application(distant_ledger, kind)
    lose_reply_to(name)

    # When
    app.send_and_work()

    # Then
    assert proxy.lost_replies == 1
    assert app.noted() == ["accepted", "dispatched", "claimed", "sending", "sent"]
    assert app.told() == ["sent"]
    assert len(app.provider.posts) == 1
