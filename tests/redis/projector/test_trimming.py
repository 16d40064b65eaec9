from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, TypeVar

import pytest

from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from middleware.timing import DAY_MS
from projector.explanation import read_explanation
from projector.outcome_feed import outcomes
from projector.partition_projector import PartitionProjector
from projector.stats import stats
from projector.trimming import Trimmed, Trimming
from tests.redis.projector.asking import RECEIPT, ask, claim, post, reject, stream
from tests.redis.projector.test_projecting import LEASE_MS, project_all
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from dramatiq import Broker
    from dramatiq.brokers.stub import StubBroker

    from middleware.keys import Delivery
    from middleware.script import Call
    from projector.events import Outcome
    from sandbox.servers import ValkeyProcess

T = TypeVar("T")

NOTHING = Trimmed(requests=0, outcomes=0)
STEP = 200


@pytest.fixture
def partition(ledger: Ledger) -> int:
    """That of "acme"."""
    return ledger.keys.partition_of("acme")


@pytest.fixture
def later(valkey: ValkeyProcess, ledger: Ledger) -> Iterator[Ledger]:
    """The same ledger when all that the test does is older than the retention."""
    clock = ManualClock()
    clock.advance(ms=ledger.timing.retention_ms + DAY_MS)
    other = Ledger(Store(valkey.url, clock_ms=clock), ledger.keys, ledger.timing)
    yield other
    other.store.close()


def forgotten(ledger: Ledger, *deliveries: Delivery) -> None:
    """As their expiry leaves them."""
    keys = ledger.keys
    for delivery in deliveries:
        ledger.store.client.unlink(keys.delivery(delivery), keys.history(delivery))
        ledger.store.client.unlink(keys.request(delivery), keys.timeline(delivery, 0))


def requests_left(ledger: Ledger, partition: int) -> list[str]:
    entries = stream(ledger.store.client, ledger.keys.requests(partition))
    return [fields.get("id", "") for _, fields in entries]


def outcomes_left(ledger: Ledger, partition: int) -> list[str]:
    entries = stream(ledger.store.client, ledger.keys.outcomes(partition))
    return [f"{fields['id']} {fields['event']}" for _, fields in entries]


class SetAfterLooks(Event):
    """A stop signal that is set when it was asked so many times."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def is_set(self) -> bool:
        self._number -= 1
        return self._number < 0


class StoreInWhichTimePasses(Store):
    """So much passes before each script that trims."""

    def __init__(self, url: str, clock: ManualClock, *, ms: int) -> None:
        super().__init__(url, clock_ms=clock)
        self._time = clock
        self._ms = ms

    def run(self, call: Call[T]) -> T:
        if call.script.name == "trim":
            self._time.advance(ms=self._ms)
        return super().run(call)


@contextmanager
def trimming_at_once(ledger: Ledger, broker: Broker) -> Iterator[None]:
    """A projector that takes every chance to trim."""
    partitions = range(ledger.keys.partitions)
    stopping = Event()
    with ThreadPoolExecutor(len(partitions)) as threads:
        for partition in partitions:
            projector = PartitionProjector(
                ledger, broker, partition, lease_ms=LEASE_MS, block_ms=20, trim_every_s=0.0
            )
            threads.submit(projector.run, stopping)
        try:
            yield
        finally:
            stopping.set()


def take(ledger: Ledger, count: int, *, group: str) -> list[Outcome]:
    return list(islice(outcomes(group=group, ledger=ledger, block_ms=20), count))


def test_what_no_record_needs_is_forgotten_after_the_retention(
    ledger: Ledger, later: Ledger, broker: StubBroker, partition: int
) -> None:
    # Given
    delivery = ask(ledger)
    post(ledger, delivery)
    project_all(ledger, broker)
    forgotten(ledger, delivery)

    # When
    trimmed = Trimming(later, partition).step()

    # Then
    assert trimmed == Trimmed(requests=1, outcomes=1)
    assert requests_left(ledger, partition) == outcomes_left(ledger, partition) == []


def test_what_is_younger_than_the_retention_stays_however_much_it_is(
    ledger: Ledger, broker: StubBroker, partition: int
) -> None:
    # Given
    names = [f"r{number}" for number in range(300)]
    for name in names:
        delivery = ask(ledger, name)
        post(ledger, delivery)
        forgotten(ledger, delivery)
    project_all(ledger, broker)

    # When
    trimmed = Trimming(ledger, partition).step()

    # Then
    assert trimmed == NOTHING
    assert requests_left(ledger, partition) == names


def test_what_is_not_folded_stays(
    ledger: Ledger, later: Ledger, broker: StubBroker, partition: int
) -> None:
    # Given
    folded = ask(ledger, "folded")
    post(ledger, folded)
    project_all(ledger, broker)
    unfolded = ask(ledger, "unfolded")
    post(ledger, unfolded)
    forgotten(ledger, folded, unfolded)

    # When
    trimmed = Trimming(later, partition).step()

    # Then
    assert trimmed == Trimmed(requests=1, outcomes=1)
    assert requests_left(ledger, partition) == ["unfolded"]
    assert outcomes_left(ledger, partition) == ["unfolded sent"]


@pytest.mark.parametrize("kept", ["delayed", "claimed", "uncertain", "rejected", "sent"])
def test_a_request_that_has_a_record_is_kept_with_all_that_came_after_it(
    ledger: Ledger, later: Ledger, broker: StubBroker, partition: int, kept: str
) -> None:
    # Given
    first = ask(ledger, "first")
    post(ledger, first)
    _bring_to(ledger, kept)
    last = ask(ledger, "last")
    post(ledger, last)
    project_all(ledger, broker)
    forgotten(ledger, first, last)

    # When
    Trimming(later, partition).step()

    # Then
    assert requests_left(ledger, partition) == [kept, "last"]
    ended = [f"{kept} {kept}"] if kept in {"rejected", "sent"} else []
    # In one instant with the request that is kept, an earlier outcome is kept too.
    assert [each for each in outcomes_left(ledger, partition) if each != "first sent"] == [
        *ended,
        "last sent",
    ]


def _bring_to(ledger: Ledger, state: str) -> None:
    match state:
        case "delayed":
            tomorrow = datetime.now(UTC) + timedelta(days=1)
            ask(ledger, state, send_at=tomorrow.isoformat())
        case "claimed":
            claim(ledger, ask(ledger, state))
        case "uncertain":
            delivery = ask(ledger, state)
            token = claim(ledger, delivery)
            ledger.run(ledger.intend(delivery, token=token, target={"channel": "C1"}))
            ledger.run(ledger.doubt(delivery, token=token, why="timeout"))
        case "rejected":
            reject(ledger, ask(ledger, state))
        case "sent":
            post(ledger, ask(ledger, state))


def test_a_request_whose_body_alone_was_lost_is_kept_for_a_rebuild_to_find(
    ledger: Ledger, later: Ledger, broker: StubBroker, client: redis.Redis, partition: int
) -> None:
    # Given
    delivery = ask(ledger)
    project_all(ledger, broker)
    client.unlink(ledger.keys.request(delivery))

    # When
    trimmed = Trimming(later, partition).step()

    # Then
    assert trimmed == NOTHING


def test_the_events_of_an_id_that_is_used_again_are_kept_with_it(
    ledger: Ledger, later: Ledger, broker: StubBroker, partition: int
) -> None:
    # Given
    first = ask(ledger)
    post(ledger, first)
    project_all(ledger, broker)
    looked_at = Trimming(later, partition)
    forgotten(ledger, first)

    # When
    ask(ledger)
    trimmed = looked_at.step()

    # Then
    assert trimmed == NOTHING


def test_events_that_were_set_aside_are_forgotten_like_any_other(
    ledger: Ledger, later: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    other = 1 - ledger.keys.partition_of("acme")
    log = ledger.keys.requests(other)
    client.xadd(log, {"event": "nonsense"})
    client.xadd(log, {"event": "requested", "tenant": "acme", "id": "r1"})
    client.xadd(log, {"event": "requested", "tenant": b"\xff", "id": b"\xff"})
    client.xadd(ledger.keys.outcomes(other), {"event": "nonsense"})
    ask(ledger)
    project_all(ledger, broker)

    # When
    trimmed = Trimming(later, other).step()

    # Then
    assert trimmed == Trimmed(requests=3, outcomes=1)


def test_an_outcome_without_a_request_is_forgotten_too(
    ledger: Ledger, later: Ledger, broker: StubBroker, partition: int
) -> None:
    # Given
    never_asked_for = replace(ask(ledger), id="r2")
    ledger.run(ledger.settle_sent(never_asked_for, token="gone", receipt=RECEIPT))
    project_all(ledger, broker)
    forgotten(ledger, replace(never_asked_for, id="r1"))

    # When
    trimmed = Trimming(later, partition).step()

    # Then
    assert trimmed == Trimmed(requests=1, outcomes=2)


def test_each_step_is_bounded_and_says_that_there_is_more(
    ledger: Ledger, later: Ledger, broker: StubBroker, partition: int
) -> None:
    # Given
    for number in range(STEP + 50):
        delivery = ask(ledger, f"r{number}")
        post(ledger, delivery)
        forgotten(ledger, delivery)
    project_all(ledger, broker)
    trimming = Trimming(later, partition)

    # When
    steps = [trimming.step(), trimming.step(), trimming.step()]

    # Then
    assert [step.requests for step in steps] == [STEP, 50, 0]
    # In one instant with the first request that is left, an outcome is left too.
    assert sum(step.outcomes for step in steps) == STEP + 50
    assert max(step.outcomes for step in steps) <= STEP
    assert [step.may_be_more for step in steps] == [True, False, False]


def test_a_group_that_had_not_read_what_is_forgotten_is_named_once(
    ledger: Ledger,
    later: Ledger,
    broker: StubBroker,
    partition: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given
    trimming = Trimming(later, partition)
    for name in ("first", "second"):
        delivery = ask(ledger, name)
        post(ledger, delivery)
        take(ledger, 1, group="billing")
        if name == "first":
            ledger.store.client.xgroup_create(ledger.keys.outcomes(partition), "search", id="0")
        project_all(ledger, broker)
        forgotten(ledger, delivery)

        # When
        trimming.step()

    # Then
    (said,) = [record.getMessage() for record in caplog.records if "group" in record.getMessage()]
    assert "'search'" in said
    assert outcomes_left(ledger, partition) == []


def test_a_group_that_comes_after_it_gets_every_outcome_that_is_left(
    ledger: Ledger, later: Ledger, broker: StubBroker, partition: int
) -> None:
    # Given
    old = ask(ledger, "old")
    post(ledger, old)
    project_all(ledger, broker)
    forgotten(ledger, old)
    post(ledger, ask(ledger, "kept"))

    # When
    Trimming(later, partition).step()

    # Then
    assert [outcome.message_request_id for outcome in take(ledger, 1, group="billing")] == ["kept"]


def test_nothing_is_counted_or_folded_wrongly_after_it(
    ledger: Ledger, later: Ledger, broker: StubBroker, partition: int
) -> None:
    # Given
    old = ask(ledger, "old")
    post(ledger, old)
    project_all(ledger, broker)
    forgotten(ledger, old)
    Trimming(later, partition).step()
    post(ledger, ask(ledger, "new"))
    lag_before = stats(ledger).projector_lag

    # When
    project_all(ledger, broker)

    # Then
    assert (lag_before, stats(ledger).projector_lag) == (2, 0)
    explanation = read_explanation(ledger, "acme", "new")
    assert explanation is not None
    told = [each.what for each in explanation.evidence if each.source == "event"]
    assert told == ["requested", "sent"]


def test_what_grew_too_old_since_it_was_looked_at_is_left_for_the_next_step(
    ledger: Ledger, later: Ledger, broker: StubBroker, valkey: ValkeyProcess, partition: int
) -> None:
    # Given
    clock = ManualClock()
    store = StoreInWhichTimePasses(valkey.url, clock, ms=later.timing.retention_ms + DAY_MS)
    delivery = ask(ledger)
    project_all(ledger, broker)
    forgotten(ledger, delivery)

    # When
    with closing(store):
        trimmed = Trimming(Ledger(store, ledger.keys, ledger.timing), partition).step()

    # Then
    assert trimmed == NOTHING
    assert Trimming(later, partition).step() == Trimmed(requests=1, outcomes=0)


def test_a_projector_trims_only_when_it_is_due_and_then_for_as_long_as_there_is_more(
    ledger: Ledger, later: Ledger, broker: StubBroker, partition: int
) -> None:
    # Given
    count = 2 * STEP + 50
    for number in range(count):
        delivery = ask(ledger, f"r{number}")
        ledger.run(ledger.cancel(delivery))
        forgotten(ledger, delivery)
    project_all(ledger, broker)
    left = []

    # When
    for every_s in (3_600.0, 0.0):
        projector = PartitionProjector(
            later, broker, partition, lease_ms=LEASE_MS, block_ms=1, trim_every_s=every_s
        )
        projector.run(SetAfterLooks(4))
        left.append(len(requests_left(ledger, partition)))

    # Then
    assert left == [count, 0]


def test_several_projectors_forget_what_is_old_while_more_comes(
    ledger: Ledger, broker: StubBroker, valkey: ValkeyProcess, partition: int
) -> None:
    # Given
    timing = replace(ledger.timing, retention_ms=250)
    forgetful = Ledger(Store(valkey.url), ledger.keys, timing)
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    # When
    with trimming_at_once(forgetful, broker), trimming_at_once(forgetful, broker):
        for number in range(100):
            if number == 50:
                ask(forgetful, "delayed", send_at=tomorrow.isoformat())
            post(forgetful, ask(forgetful, f"r{number}", tenant=f"tenant-{number % 5}"))
        wait_until(
            lambda: requests_left(ledger, 1 - partition) == [],
            description="the log of one partition is empty",
        )
        wait_until(
            lambda: requests_left(ledger, partition)[0] == "delayed",
            description="and in the other nothing is left before the one that is delayed",
        )
    forgetful.store.close()

    # Then
    assert stats(ledger).projector_lag == 0
