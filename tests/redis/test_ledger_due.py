from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from middleware.answers import Accepted, DueNow
from middleware.keys import Delivery
from middleware.timing import MINUTE_MS
from tests.redis.ledger_calls import ACCEPTANCE

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def accept_at(rig: Rig, delivery: Delivery, not_before_ms: int) -> None:
    acceptance = replace(ACCEPTANCE, not_before_ms=not_before_ms)
    assert rig.run(rig.ledger.accept(delivery, acceptance)) == Accepted()


def due_tenants(rig: Rig) -> DueNow:
    partition = rig.ledger.keys.partition_of("acme")
    return rig.unchanged(rig.ledger.due_tenants(partition, limit=10))


def due_deliveries(rig: Rig, *, limit: int = 10) -> DueNow:
    return rig.unchanged(rig.ledger.due_deliveries("acme", limit=limit))


def test_where_nothing_was_accepted_nothing_is_due(rig: Rig) -> None:
    # Given
    now_ms = rig.clock.now_ms

    # When
    answers = [due_tenants(rig), due_deliveries(rig)]

    # Then
    assert answers == [DueNow(now_ms, None, ())] * 2


def test_what_is_due_comes_earliest_first_with_the_time_of_the_next(rig: Rig) -> None:
    # Given
    begun_ms = rig.clock.now_ms
    for minutes, id_ in ((3, "third"), (1, "first"), (4, "fourth"), (2, "second")):
        accept_at(rig, Delivery("acme", id_), begun_ms + minutes * MINUTE_MS)
    rig.clock.advance(ms=3 * MINUTE_MS)

    # When
    answer = due_deliveries(rig)

    # Then
    next_ms = begun_ms + 4 * MINUTE_MS
    assert answer == DueNow(rig.clock.now_ms, next_ms, ("first", "second", "third"))


def test_no_more_than_the_limit_are_named(rig: Rig) -> None:
    # Given
    begun_ms = rig.clock.now_ms
    for minutes in (1, 2, 3):
        accept_at(rig, Delivery("acme", f"r{minutes}"), begun_ms + minutes * MINUTE_MS)
    rig.clock.advance(ms=3 * MINUTE_MS)

    # When
    answer = due_deliveries(rig, limit=2)

    # Then
    assert answer == DueNow(rig.clock.now_ms, None, ("r1", "r2"))


def test_it_is_due_to_the_millisecond(rig: Rig) -> None:
    # Given
    due_ms = rig.clock.now_ms + MINUTE_MS
    accept_at(rig, rig.delivery, due_ms)

    # When
    rig.clock.now_ms = due_ms - 1
    before = due_deliveries(rig)
    rig.clock.now_ms = due_ms
    then = due_deliveries(rig)

    # Then
    assert before == DueNow(due_ms - 1, due_ms, ())
    assert then == DueNow(due_ms, None, ("r1",))


def test_a_tenant_is_due_when_its_earliest_delivery_is(rig: Rig) -> None:
    # Given
    begun_ms = rig.clock.now_ms
    accept_at(rig, Delivery("acme", "later"), begun_ms + 5 * MINUTE_MS)
    accept_at(rig, Delivery("acme", "sooner"), begun_ms + 2 * MINUTE_MS)

    # When
    before = due_tenants(rig)
    rig.clock.advance(ms=2 * MINUTE_MS)
    then = due_tenants(rig)

    # Then
    assert before == DueNow(begun_ms, begun_ms + 2 * MINUTE_MS, ())
    assert then == DueNow(rig.clock.now_ms, None, ("acme",))


def test_a_tenant_moves_on_with_its_deliveries(rig: Rig) -> None:
    # Given
    begun_ms = rig.clock.now_ms
    accept_at(rig, rig.delivery, begun_ms + 2 * MINUTE_MS)
    accept_at(rig, Delivery("acme", "later"), begun_ms + 5 * MINUTE_MS)

    # When
    rig.run(rig.cancel())

    # Then
    assert due_tenants(rig) == DueNow(begun_ms, begun_ms + 5 * MINUTE_MS, ())


def test_a_tenant_without_open_deliveries_is_never_due(rig: Rig) -> None:
    # Given
    rig.accepted()

    # When
    rig.run(rig.cancel())

    # Then
    assert due_tenants(rig) == DueNow(rig.clock.now_ms, None, ())
    assert due_deliveries(rig) == DueNow(rig.clock.now_ms, None, ())


def test_tenants_of_a_partition_come_earliest_first(rig: Rig) -> None:
    # Given
    keys = rig.ledger.keys
    neighbours = [
        tenant
        for tenant in (f"tenant-{number}" for number in range(100))
        if keys.partition_of(tenant) == keys.partition_of("acme")
    ]
    for tenant, minutes in ((neighbours[0], 2), ("acme", 1), (neighbours[1], 3)):
        accept_at(rig, Delivery(tenant, "r1"), rig.clock.now_ms + minutes * MINUTE_MS)
    rig.clock.advance(ms=2 * MINUTE_MS)

    # When
    answer = due_tenants(rig)

    # Then
    assert answer == DueNow(rig.clock.now_ms, rig.clock.now_ms + MINUTE_MS, ("acme", neighbours[0]))
