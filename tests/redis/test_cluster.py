from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
import redis

from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from middleware.timing import Timing
from tests.keyspace import immortal_keys, remove_keys
from tests.redis.ledger_calls import Calls
from tests.redis.ledger_view import LedgerView
from tests.redis.ledger_ways import STRAIGHT, WAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from middleware.script import Call
    from sandbox.cluster import ThreeNodeCluster

Ask = Callable[[Ledger, Sequence["Call[Any]"]], list[Any]]


def one_by_one(ledger: Ledger, calls: Sequence[Call[Any]]) -> list[Any]:
    return [ledger.run(call) for call in calls]


def in_one_trip(ledger: Ledger, calls: Sequence[Call[Any]]) -> list[Any]:
    return ledger.run_many(calls)


@pytest.fixture(params=["one by one", "in one trip", "at once, on an event loop"])
def ask(request: pytest.FixtureRequest, ledger: Ledger) -> Iterator[Ask]:
    if request.param == "one by one":
        yield one_by_one
    elif request.param == "in one trip":
        yield in_one_trip
    else:
        with asyncio.Runner() as runner:

            async def gathered(calls: Sequence[Call[Any]]) -> list[Any]:
                return await asyncio.gather(*(ledger.arun(call) for call in calls))

            yield lambda _, calls: runner.run(gathered(calls))
            runner.run(ledger.store.aclose())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(cluster: ThreeNodeCluster, clock: ManualClock) -> Iterator[Ledger]:
    """However a test leaves it, the invariants hold, and nothing else is immortal."""
    keys = Keys(f"t{secrets.token_hex(6)}", partitions=8)
    with closing(Store(cluster.url, clock_ms=clock)) as store:
        ledger = Ledger(store, keys, Timing())
        yield ledger
        LedgerView(ledger).check()
        immortal = immortal_keys(store.client, keys.prefix)
        remove_keys(store.client, keys.prefix)
        assert not immortal


def tenant_of_each_partition(keys: Keys) -> list[str]:
    found: dict[int, str] = {}
    for number in range(1_000):
        found.setdefault(keys.partition_of(f"tenant-{number}"), f"tenant-{number}")
    assert len(found) == keys.partitions
    return [found[partition] for partition in sorted(found)]


def forget_scripts(ledger: Ledger) -> None:
    client: Any = ledger.store.client
    client.execute_command("SCRIPT FLUSH", target_nodes=redis.RedisCluster.PRIMARIES)


@pytest.mark.parametrize("remembers", [True, False], ids=["knows", "has forgotten"])
@pytest.mark.parametrize("way", WAYS)
def test_every_transition_happens_for_tenants_on_every_node(
    ledger: Ledger, clock: ManualClock, ask: Ask, way: str, *, remembers: bool
) -> None:
    # Given
    tenants = tenant_of_each_partition(ledger.keys)
    drivers = [Calls(ledger, clock, Delivery(tenant, "r1")) for tenant in tenants]
    answered = []

    # When
    for step in WAYS[way]:
        if isinstance(step, int):
            clock.advance(ms=step)
            continue
        if not remembers:
            forget_scripts(ledger)
        answered.append({type(answer) for answer in ask(ledger, [step[0](d) for d in drivers])})

    # Then
    assert answered == [{step[1]} for step in WAYS[way] if not isinstance(step, int)]


def test_the_ways_above_need_every_script_of_the_ledger(ledger: Ledger, clock: ManualClock) -> None:
    # Given
    driver = Calls(ledger, clock, Delivery("acme", "r1"))
    folder = files("middleware") / "scripts"
    scripts = {path.name.removesuffix(".lua") for path in folder.iterdir()}

    # When
    needed = {
        step[0](driver).script.name
        for steps in WAYS.values()
        for step in steps
        if not isinstance(step, int)
    }

    # Then
    # An epoch is entered before any of them; workers and their presence are of no delivery.
    of_workers = {"note_worker", "forget_worker", "living_workers"}
    assert needed == scripts - {"record", "enter_epoch"} - of_workers


def test_the_partitions_are_spread_over_all_nodes(
    ledger: Ledger, cluster: ThreeNodeCluster
) -> None:
    # Given
    client: Any = ledger.store.client
    keys = ledger.keys

    # When
    ports = {
        client.get_node_from_key(keys.due(tenant)).port for tenant in tenant_of_each_partition(keys)
    }

    # Then
    assert ports == {node.port for node in cluster.nodes}


def test_many_calls_for_one_delivery_keep_their_order(ledger: Ledger, clock: ManualClock) -> None:
    # Given
    driver = Calls(ledger, clock, Delivery("acme", "r1"))
    one_by_one(ledger, [step[0](driver) for step in STRAIGHT if not isinstance(step, int)])
    other = Calls(ledger, clock, Delivery("acme", "r2"))

    # When
    answered = ledger.run_many([step[0](other) for step in STRAIGHT if not isinstance(step, int)])

    # Then
    assert [type(answer) for answer in answered] == [
        step[1] for step in STRAIGHT if not isinstance(step, int)
    ]


def test_a_cluster_passes_the_check_of_its_policies(ledger: Ledger) -> None:
    # Given
    prefix = ledger.keys.prefix

    # When
    ledger.admit()

    # Then
    settings = ledger.keys.settings()
    assert settings.startswith(prefix)
    assert ledger.store.client.hget(settings, "partitions") == "8"
