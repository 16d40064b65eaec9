"""A rebuild runs while everything else goes on, is stopped, or is not the only one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, TypeVar

import pytest

from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from middleware.timing import DAY_MS
from projector.discarding import discard_old_views
from projector.errors import RebuildSuperseded
from projector.event_log import Position, read_events
from projector.folding import fold_all, read
from projector.listing import Filter, list_statuses
from projector.rebuild import Folded, Rebuilt, rebuild
from projector.requests import request_many
from projector.stats import stats
from projector.trimming import Trimming
from tests.redis.projector.asking import ask, fields, post, queued, reject
from tests.redis.projector.everything import TENANTS
from tests.redis.projector.test_projecting import project_all, projecting, wait_until_folded
from tests.redis.projector.views import current, generations, positions, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import redis
    from dramatiq.brokers.stub import StubBroker

    from middleware.script import Call
    from sandbox.servers import ValkeyProcess

T = TypeVar("T")


class StoreWithOthers(Store):
    """Once, right after it answered such scripts, `act` is called."""

    def __init__(self, url: str, script_name: str, act: Callable[[], object]) -> None:
        super().__init__(url)
        self._script_name = script_name
        self._act: Callable[[], object] | None = act

    def run_many(self, calls: Sequence[Call[T]]) -> list[T]:
        answers = super().run_many(calls)
        if self._act is not None and calls[0].script.name == self._script_name:
            act, self._act = self._act, None
            act()
        return answers


def rebuild_all(ledger: Ledger) -> list[Rebuilt]:
    return [each for each in rebuild(ledger) if isinstance(each, Rebuilt)]


def ask_in_every_partition(ledger: Ledger, count: int = 10) -> None:
    tenants = [f"tenant-{number}" for number in range(count)]
    assert {ledger.keys.partition_of(tenant) for tenant in tenants} == {0, 1}
    assert list(request_many([fields(tenant=tenant) for tenant in tenants], ledger=ledger))


def test_nothing_is_lost_or_left_to_the_sweeper_while_services_ask_and_workers_post(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    asked: list[str] = []
    has_rebuilt = Event()

    def serve() -> None:
        while not has_rebuilt.is_set():
            name = f"r{len(asked)}"
            delivery = ask(ledger, name, tenant=f"tenant-{len(asked) % 5}")
            asked.append(name)
            if len(asked) % 3 == 0:
                post(ledger, delivery)

    # When
    with projecting(ledger, broker), ThreadPoolExecutor(1) as threads:
        serving = threads.submit(serve)
        rebuilt = [rebuild_all(ledger) for _ in range(4)]
        has_rebuilt.set()
        serving.result()
        wait_until_folded(ledger)

    # Then
    assert [each.generation for each in rebuilt[-1]] == [4, 4]
    unposted = {name for number, name in enumerate(asked, 1) if number % 3}
    dispatched = {message.kwargs["message_request_id"] for message in queued(broker)}
    assert unposted <= dispatched
    before = shown(ledger)
    rebuild_all(ledger)
    assert shown(ledger) == before


def test_it_goes_no_further_than_the_projector_which_dispatches_what_comes_after(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    ask(ledger, "folded")
    project_all(ledger, broker)
    ask(ledger, "unfolded")

    # When
    rebuilt = rebuild_all(ledger)

    # Then
    assert sum(each.events for each in rebuilt) == 1
    assert stats(ledger).projector_lag == 1
    project_all(ledger, broker)
    ids = [message.kwargs["message_request_id"] for message in queued(broker)]
    assert ids == ["folded", "unfolded"]
    assert stats(ledger).projector_lag == 0


def test_of_two_at_once_the_later_goes_on_and_the_earlier_is_told(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    ask_in_every_partition(ledger)
    project_all(ledger, broker)
    before = shown(ledger)
    earlier = rebuild(ledger)
    assert isinstance(next(earlier), Folded)

    # When
    later = rebuild_all(ledger)
    with pytest.raises(RebuildSuperseded) as superseded:
        list(earlier)

    # Then
    assert superseded.value.partition == 0
    assert [each.generation for each in later] == [2, 1]
    assert shown(ledger) == before
    assert generations(ledger) == {(0, 2), (1, 1)}


def test_one_that_was_stopped_changed_nothing_and_the_next_leaves_nothing_of_it(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    ask_in_every_partition(ledger)
    project_all(ledger, broker)
    before = shown(ledger)
    stopped = rebuild(ledger)
    next(stopped)
    stopped.close()  # type: ignore[attr-defined]
    after_stop = shown(ledger)
    left_behind = generations(ledger)

    # When
    rebuild_all(ledger)

    # Then
    assert after_stop == before == shown(ledger)
    assert left_behind == {(0, 0), (0, 1), (1, 0)}
    assert generations(ledger) == {(0, 2), (1, 1)}
    assert positions(ledger, 0) == {"2"}


def test_what_is_folded_into_a_generation_that_was_replaced_writes_nothing(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    ask(ledger)
    partition = ledger.keys.partition_of("acme")
    (event,) = read_events(ledger, partition, Position(), block_ms=1)
    rebuild_all(ledger)

    # When
    fold_all(ledger, [read(ledger, event)], generation=0)

    # Then
    assert current(ledger, partition) == 1
    assert generations(ledger) == set()
    assert client.hget(ledger.keys.projection(partition), "0:requests") is None


def test_a_list_that_is_being_read_is_whole_though_its_views_are_replaced(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    names = [f"r{number}" for number in range(600)]
    assert list(request_many([fields(name) for name in names], ledger=ledger))
    project_all(ledger, broker)
    listing = list_statuses(ledger, Filter())
    first = next(listing)

    # When
    rebuild_all(ledger)

    # Then
    listed = [first.message_request_id, *(found.message_request_id for found in listing)]
    assert sorted(listed) == sorted(names)


def test_what_is_counted_is_of_the_new_views_though_they_are_replaced_meanwhile(
    ledger: Ledger, broker: StubBroker, valkey: ValkeyProcess
) -> None:
    # Given
    reject(ledger, ask(ledger))
    project_all(ledger, broker)
    store = StoreWithOthers(valkey.url, "partition_stats", partial(rebuild_all, ledger))

    # When
    with closing(store):
        counted = stats(Ledger(store, ledger.keys, ledger.timing))

    # Then
    assert generations(ledger) == {(ledger.keys.partition_of("acme"), 1)}
    assert counted.rejected == 1


def test_what_another_rebuild_has_just_begun_is_not_removed(
    ledger: Ledger, broker: StubBroker, valkey: ValkeyProcess
) -> None:
    # Given
    ask_in_every_partition(ledger)
    project_all(ledger, broker)
    other = rebuild(ledger)
    store = StoreWithOthers(valkey.url, "generations", partial(next, other))

    # When
    with closing(store):
        removed = discard_old_views(Ledger(store, ledger.keys, ledger.timing))

    # Then
    assert removed == 0
    assert generations(ledger) == {(0, 0), (0, 1), (1, 0)}


def test_the_lag_is_right_though_the_log_was_trimmed_before_it_and_during_it(
    ledger: Ledger, broker: StubBroker, valkey: ValkeyProcess, client: redis.Redis
) -> None:
    # Given
    clock = ManualClock()
    later = Ledger(Store(valkey.url, clock_ms=clock), ledger.keys, ledger.timing)
    clock.advance(ms=ledger.timing.retention_ms + DAY_MS)
    partition = 0
    tenant = next(name for name in TENANTS if ledger.keys.partition_of(name) == partition)
    for number in range(700):
        delivery = ask(ledger, f"r{number}", tenant=tenant)
        ledger.run(ledger.cancel(delivery))
        keys = ledger.keys
        client.unlink(keys.delivery(delivery), keys.history(delivery), keys.request(delivery))
    project_all(ledger, broker)
    trimming = Trimming(later, partition)

    # When
    with closing(later.store):
        trimmed = [trimming.step()]
        rebuilding = rebuild(ledger)
        next(rebuilding)
        trimmed += [trimming.step(), trimming.step()]
        rebuilt = next(each for each in rebuilding if isinstance(each, Rebuilt))

    # Then
    assert [step.requests for step in trimmed] == [200, 200, 200]
    assert 0 < rebuilt.events < 2 * 500
    assert stats(ledger).projector_lag == 0
    ask(ledger, "unfolded")
    assert stats(ledger).projector_lag == 1
