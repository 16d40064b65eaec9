from __future__ import annotations

import inspect
from itertools import combinations, product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from middleware.keys import MAX_PARTITIONS, Delivery, Keys

if TYPE_CHECKING:
    from collections.abc import Iterator

GENERATIONS = (0, 1, 12)
STATUSES = ("open", "sent", "rejected", "expired", "cancelled", "unproven")

# As design §9 has them: ids may contain colons, tenants may not.
_EDGE = st.sampled_from(["open", "sent", "due", "delivery", "a", "1"])
_ALPHABET = "abc019._@/+=~:-"
ids = _EDGE | st.from_regex(rf"[a-c01][{_ALPHABET}]{{0,12}}", fullmatch=True)
tenants = _EDGE | st.from_regex(rf"[a-c01][{_ALPHABET.replace(':', '')}]{{0,12}}", fullmatch=True)
deliveries = st.builds(Delivery, tenants, ids)
key_makers = st.builds(
    Keys,
    prefix=st.sampled_from(["postonce", "p", "a:b"]),
    partitions=st.integers(min_value=1, max_value=MAX_PARTITIONS),
)


# Found by what they take, so that a new kind of key is tried too.
KINDS = [
    (name, [*inspect.signature(method).parameters][1:])
    for name, method in inspect.getmembers(Keys, inspect.isfunction)
    if not name.startswith("_") and name not in {"partition_of", "every_view", "view_of"}
]


def named_keys(keys: Keys, delivery: Delivery) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every key that this delivery has a part in, by what it is for."""
    tenant, partition = delivery.tenant, keys.partition_of(delivery.tenant)
    name = tenant, delivery.id
    for kind, parameters in KINDS:
        make = getattr(keys, kind)
        match parameters:
            case []:
                yield (kind,), make()
            case ["partition"]:
                yield (kind, str(partition)), make(partition)
            case ["tenant"]:
                yield (kind, tenant), make(tenant)
            case ["delivery"]:
                yield (kind, *name), make(delivery)
            case ["partition", "generation"]:
                yield from (
                    ((kind, str(partition), str(g)), make(partition, g)) for g in GENERATIONS
                )
            case ["tenant", "status", "generation"]:
                for status, g in product(STATUSES, GENERATIONS):
                    yield (kind, tenant, status, str(g)), make(tenant, status, g)
            case ["delivery", "generation"]:
                yield from (((kind, *name, str(g)), make(delivery, g)) for g in GENERATIONS)
            case _:
                raise AssertionError(f"this test does not know what {kind} is for")


@given(keys=key_makers, delivery=deliveries)
def test_all_keys_of_a_tenant_are_in_the_slot_of_its_partition(
    keys: Keys, delivery: Delivery
) -> None:
    # Given
    slot_of_log = key_slot(keys.outcomes(keys.partition_of(delivery.tenant)).encode())

    # When
    slots = {key_slot(key.encode()) for name, key in named_keys(keys, delivery) if len(name) > 1}

    # Then
    assert slots == {slot_of_log}


@given(keys=key_makers, one=deliveries, other=deliveries)
def test_no_two_things_have_the_same_key(keys: Keys, one: Delivery, other: Delivery) -> None:
    # Given
    named = dict(named_keys(keys, one)) | dict(named_keys(keys, other))

    # When
    distinct = set(named.values())

    # Then
    assert len(distinct) == len(named)


def test_an_id_cannot_reach_into_another_tenants_keys() -> None:
    # Given
    keys = Keys(partitions=1)
    lookalikes = [Delivery("a", "b:c"), Delivery("a", "b"), Delivery("b", "c"), Delivery("a", "c")]

    # When
    named = {name: key for delivery in lookalikes for name, key in named_keys(keys, delivery)}

    # Then
    assert all(named[one] != named[other] for one, other in combinations(named, 2))


@given(keys=key_makers, delivery=deliveries)
def test_a_view_tells_its_partition_and_its_generation(keys: Keys, delivery: Delivery) -> None:
    # Given
    partition = keys.partition_of(delivery.tenant)

    # When
    views = [keys.view_of(keys.timeline(delivery, generation)) for generation in GENERATIONS]

    # Then
    assert [(view.partition, view.generation) for view in views] == [
        (partition, generation) for generation in GENERATIONS
    ]


@pytest.mark.parametrize(
    ("tenant", "partition_of_8", "partition_of_99"),
    [("acme", 1, 42), ("globex", 2, 42), ("initech", 0, 27), ("Ünïcode", 0, 7)],
)
def test_a_tenant_keeps_its_partition_over_versions(
    tenant: str, partition_of_8: int, partition_of_99: int
) -> None:
    # Given
    eight, most = Keys(partitions=8), Keys(partitions=MAX_PARTITIONS)

    # When
    found = eight.partition_of(tenant), most.partition_of(tenant)

    # Then
    assert found == (partition_of_8, partition_of_99)


@given(keys=key_makers, tenant=tenants)
def test_a_partition_is_one_of_those_there_are(keys: Keys, tenant: str) -> None:
    # Given
    partitions = range(keys.partitions)

    # When
    partition = keys.partition_of(tenant)

    # Then
    assert partition in partitions


def test_many_tenants_are_spread_over_all_partitions() -> None:
    # Given
    keys = Keys(partitions=8)

    # When
    found = [keys.partition_of(f"tenant-{number}") for number in range(1_000)]

    # Then
    assert all(75 < found.count(partition) < 175 for partition in range(8))


@pytest.mark.parametrize("partitions", [0, -1, MAX_PARTITIONS + 1])
def test_a_number_of_partitions_that_keys_cannot_name_is_refused(partitions: int) -> None:
    # Given
    allowed = f"1 to {MAX_PARTITIONS}"

    # When
    with pytest.raises(ValueError, match=allowed) as refusal:
        Keys(partitions=partitions)

    # Then
    assert str(partitions) in str(refusal.value)


@pytest.mark.parametrize("prefix", ["", "a{b", "a}b", "{tag}", "a b"])
def test_a_prefix_that_would_move_the_hash_tag_is_refused(prefix: str) -> None:
    # Given
    rule = "without braces or spaces"

    # When
    with pytest.raises(ValueError, match=rule) as refusal:
        Keys(prefix)

    # Then
    assert repr(prefix) in str(refusal.value)
