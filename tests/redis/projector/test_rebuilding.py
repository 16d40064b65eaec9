from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from middleware.timing import DAY_MS
from projector.explanation import read_explanation
from projector.listing import Filter, list_statuses
from projector.rebuild import Rebuilt, rebuild
from projector.stats import stats
from projector.trimming import Trimming
from tests.redis.projector.asking import ask, post, queued, reject, stream
from tests.redis.projector.everything import TENANTS, redriven, write_everything
from tests.redis.projector.test_projecting import project_all
from tests.redis.projector.views import fold_outcomes, generations, positions, shown
from tests.waiting import wait_until

if TYPE_CHECKING:
    import redis
    from dramatiq.brokers.stub import StubBroker

    from sandbox.servers import ValkeyProcess

T = TypeVar("T")


@pytest.fixture
def partition(ledger: Ledger) -> int:
    """That of "acme"."""
    return ledger.keys.partition_of("acme")


@pytest.fixture
def full(ledger: Ledger, broker: StubBroker, valkey: ValkeyProcess) -> Ledger:
    """A ledger with everything in its log: trimmed, partly folded out of order, and all folded."""
    clock = ManualClock()
    moving = Ledger(Store(valkey.url, clock_ms=clock), ledger.keys, ledger.timing)
    with closing(moving.store):
        _write_and_trim(moving, broker, clock)
        write_everything(moving, clock)
    fold_outcomes(ledger)
    project_all(ledger, broker)
    return ledger


def _write_and_trim(ledger: Ledger, broker: StubBroker, clock: ManualClock) -> None:
    for tenant in TENANTS:
        delivery = ask(ledger, "forgotten", tenant=tenant)
        post(ledger, delivery)
        project_all(ledger, broker)
        keys, client = ledger.keys, ledger.store.client
        client.unlink(keys.delivery(delivery), keys.history(delivery), keys.timeline(delivery, 0))
        client.zrem(keys.listed(tenant, "sent", 0), delivery.id)
    now_ms = clock.now_ms
    clock.advance(ms=ledger.timing.retention_ms + DAY_MS)
    partitions = range(ledger.keys.partitions)
    trimmed = [Trimming(ledger, partition).step() for partition in partitions]
    assert sum(each.requests for each in trimmed) == len(TENANTS)
    clock.now_ms = now_ms


def rebuild_all(ledger: Ledger) -> list[Rebuilt]:
    return [each for each in rebuild(ledger) if isinstance(each, Rebuilt)]


def told(ledger: Ledger) -> tuple[object, ...]:
    """What `list`, `explain` and `stats` take from the projection."""
    listed = [
        (found.tenant, found.message_request_id, found.status)
        for found in list_statuses(ledger, Filter())
    ]
    explained = [read_explanation(ledger, tenant, id_) for tenant, id_, _ in listed]
    events = [
        [each for each in explanation.evidence if each.source == "event"]
        for explanation in explained
        if explanation is not None
    ]
    return listed, events, replace(stats(ledger), oldest_due_age_s=0.0)


def test_what_is_rebuilt_equals_what_was_folded_as_it_happened(full: Ledger) -> None:
    # Given
    before = shown(full)

    # When
    rebuilt = rebuild_all(full)

    # Then
    assert shown(full) == before
    assert [each.generation for each in rebuilt] == [1, 1]
    assert sum(each.events for each in rebuilt) > 100
    assert sum(each.quarantined for each in rebuilt) == 3 * len(TENANTS)


def test_it_dispatches_nothing(full: Ledger, broker: StubBroker) -> None:
    # Given
    before = [message.message_id for message in queued(broker)]
    records = [stream(full.store.client, full.keys.outcomes(number)) for number in range(2)]

    # When
    rebuild_all(full)

    # Then
    assert [message.message_id for message in queued(broker)] == before
    assert [stream(full.store.client, full.keys.outcomes(number)) for number in range(2)] == records


def test_only_the_new_generation_is_left(full: Ledger) -> None:
    # When
    rebuild_all(full)
    rebuild_all(full)

    # Then
    assert generations(full) == {(0, 2), (1, 2)}
    assert positions(full, 0) == positions(full, 1) == {"2"}


def damage(client: Any, key: str, how: str) -> None:  # noqa: ANN401 - it carries no types
    """Deleted, of another kind, or of the right kind and wrong."""
    match how, client.type(key):
        case "deleted", _:
            client.unlink(key)
        case "replaced", _:
            client.set(key, "neither list nor set")
        case _, "list":
            client.rpush(key, '[1,"nonsense",{}]')
            client.persist(key)
        case _, "zset":
            client.zadd(key, {"nonsense": 1})
            client.zremrangebyrank(key, 1, 1)
        case _, "hash":
            client.hset(key, mapping={"0:requests": "0-0", "0:outcomes:folded": "7"})


@pytest.mark.parametrize("how", ["deleted", "replaced", "altered"])
def test_damaged_views_are_as_they_were_after_a_rebuild(
    full: Ledger, broker: StubBroker, how: str
) -> None:
    # Given
    before, told_before = shown(full), told(full)
    client = full.store.client
    damaged = list(client.scan_iter(match=full.keys.every_view()))
    damaged += [full.keys.projection(number) for number in range(2)]
    for key in damaged:
        damage(client, key, how)
    client.unlink(*(full.keys.known(number) for number in range(2)))

    # When
    rebuild_all(full)
    project_all(full, broker)

    # Then
    assert shown(full) == before
    assert told(full) == told_before


def test_texts_that_were_lost_are_restored_for_as_long_as_their_record_is_kept(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    waiting, rejected, sent = (ask(ledger, name) for name in ("waiting", "rejected", "sent"))
    reject(ledger, rejected)
    post(ledger, sent)
    project_all(ledger, broker)
    bodies = [ledger.keys.request(each) for each in (waiting, rejected, sent)]
    before = [client.get(body) for body in bodies]
    client.unlink(*bodies)

    # When
    rebuilt = rebuild_all(ledger)

    # Then
    assert before[2] is None
    assert [client.get(body) for body in bodies] == before
    assert client.pttl(bodies[0]) == -1
    left_ms = client.pttl(ledger.keys.delivery(rejected)) - client.pttl(bodies[1])
    assert abs(left_ms) < 1_000
    assert sum(each.bodies_restored for each in rebuilt) == 2


def test_an_id_that_is_used_again_keeps_its_own_timeline_and_text(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    forgetful = replace(ledger, timing=replace(ledger.timing, retention_ms=300))
    reject(forgetful, ask(forgetful))
    project_all(forgetful, broker)
    pass_retention(client, forgetful)
    delivery = ask(ledger, variables={"host": "db-2"})
    project_all(ledger, broker)
    body = client.get(ledger.keys.request(delivery))
    before = shown(ledger)
    client.unlink(ledger.keys.request(delivery))

    # When
    rebuilt = rebuild_all(forgetful)

    # Then
    assert shown(ledger) == before
    assert client.get(ledger.keys.request(delivery)) == body
    assert sum(each.bodies_restored for each in rebuilt) == 1


def test_an_event_that_can_be_folded_now_is_in_quarantine_no_longer(
    ledger: Ledger, broker: StubBroker, client: redis.Redis, partition: int
) -> None:
    # Given
    delivery = ask(ledger)
    client.set(ledger.keys.timeline(delivery, 0), "not a list", ex=60)
    project_all(ledger, broker)
    before = client.xlen(ledger.keys.quarantine(partition, 0))

    # When
    rebuild_all(ledger)

    # Then
    assert before == 1
    assert client.xlen(ledger.keys.quarantine(partition, 1)) == 0
    assert [each.message_request_id for each in list_statuses(ledger, Filter())] == ["r1"]


def test_an_end_that_was_taken_back_ends_no_timeline_when_it_is_folded_again(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    forgetful = replace(ledger, timing=replace(ledger.timing, retention_ms=300))
    still_open, sent = ask(forgetful, "open"), ask(forgetful, "sent")
    for delivery in (still_open, sent):
        reject(forgetful, delivery)
        redriven(forgetful, delivery)
    pass_retention(client, forgetful)
    patient = ledger
    post(patient, sent)
    project_all(patient, broker)
    before = shown(patient)

    # When
    rebuild_all(forgetful)

    # Then
    after = shown(patient)
    for delivery in (still_open, sent):
        name = patient.keys.timeline(delivery, 0).replace(":0:", ":", 1)
        assert after[name][0] == before[name][0]
        assert (after[name][1] == -1) == (delivery == still_open)


def pass_retention(client: redis.Redis, ledger: Ledger) -> None:
    probe = f"{ledger.keys.prefix}:{{p00}}:probe"
    client.set(probe, "", px=ledger.timing.retention_ms)
    wait_until(lambda: not client.exists(probe), description="the retention is over")
