"""Who works can be counted, by what a worker itself says, whatever the queue is."""

from __future__ import annotations

from contextlib import closing
from threading import enumerate as living_threads
from typing import TYPE_CHECKING

from middleware.dispatch_once import DispatchOnce
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.presence import SILENT_MS, Presence, living_workers, note_worker
from middleware.store import Store
from middleware.timing import Timing
from tests.keyspace import remove_keys
from tests.redis.middleware.application import Application
from tests.redis.middleware.stores import InterruptedStore
from tests.waiting import wait_until

if TYPE_CHECKING:
    import pytest
    import redis
    from dramatiq.brokers.redis import RedisBroker

    from middleware.stub_ledger import ManualClock
    from sandbox.cluster import ThreeNodeCluster
    from sandbox.servers import ValkeyProcess
    from tests.lossy_proxy import LossyProxy


def counted(ledger: Ledger) -> int:
    return ledger.run(living_workers(ledger))


def wait_for_workers(ledger: Ledger, count: int) -> None:
    wait_until(lambda: counted(ledger) == count, description=f"{count} workers say that they live")


def test_each_worker_is_counted_for_as_long_as_it_works(ledger: Ledger) -> None:
    # Given
    app = Application(ledger, dispatcher=DispatchOnce)
    other = Presence(ledger)
    other.start()

    # When, Then
    with app.working():
        wait_for_workers(ledger, 2)
        other.stop()
        assert counted(ledger) == 1
    assert counted(ledger) == 0


def test_who_only_puts_messages_on_the_queue_is_no_worker(
    ledger: Ledger, queue: RedisBroker, client: redis.Redis
) -> None:
    # Given
    app = Application(ledger, broker=queue, dispatcher=DispatchOnce)
    app.accept()

    # When
    app.send()

    # Then
    assert client.zcard(f"{queue.namespace}:__heartbeats__") == 1
    assert counted(ledger) == 0


def test_one_that_was_killed_is_counted_no_more_when_it_was_silent_for_long(
    ledger: Ledger, clock: ManualClock
) -> None:
    # Given
    ledger.run(note_worker(ledger, "killed"))
    clock.advance(ms=SILENT_MS // 2)
    ledger.run(note_worker(ledger, "living"))

    # When
    before = counted(ledger)
    clock.advance(ms=SILENT_MS // 2)

    # Then
    assert (before, counted(ledger)) == (2, 1)


def test_nothing_is_kept_of_those_that_are_dead(
    ledger: Ledger, clock: ManualClock, client: redis.Redis
) -> None:
    # Given
    ledger.run(note_worker(ledger, "killed"))
    clock.advance(ms=SILENT_MS)

    # When
    ledger.run(note_worker(ledger, "living"))

    # Then
    assert client.zrange(ledger.keys.workers(), 0, -1) == ["living"]
    assert 0 < client.pttl(ledger.keys.workers()) <= SILENT_MS


def test_in_a_cluster_too(cluster: ThreeNodeCluster, prefix: str) -> None:
    # Given
    with closing(Store(cluster.url)) as store:
        ledger = Ledger(store, Keys(prefix, partitions=8), Timing())

        # When, Then
        with Application(ledger, dispatcher=DispatchOnce).working():
            wait_for_workers(ledger, 1)
        assert counted(ledger) == 0
        remove_keys(store.client, prefix)


def test_what_nobody_foresaw_disturbs_neither_the_worker_nor_its_sweeper(
    valkey: ValkeyProcess, ledger: Ledger, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    store = InterruptedStore(
        valkey.url, clock, script="note_worker", interrupt=ZeroDivisionError(), has_run=False
    )
    with closing(store):
        app = Application(Ledger(store, ledger.keys, ledger.timing), dispatcher=DispatchOnce)
        app.accept()
        clock.advance(ms=ledger.timing.dispatch_window_ms)

        # When
        with app.working():
            wait_until(lambda: "presence.failed" in caplog.text, description="it fails")

            # Then
            wait_until(lambda: app.told() == ["sent"], description="it is swept and sent")


def test_a_store_that_stands_still_does_not_keep_the_worker_from_ending(
    distant_ledger: Ledger, proxy: LossyProxy
) -> None:
    # Given
    app = Application(distant_ledger, dispatcher=DispatchOnce)
    distant_ledger.admit()
    proxy.stall()

    # When
    with app.working():
        wait_until(lambda: proxy.held > 0, description="it waits for the store")

    # Then
    proxy.flow()
    wait_until(
        lambda: not {"presence", "sweeper"} & {thread.name for thread in living_threads()},
        description="its threads end when the store answers",
    )
