"""What only a cluster refuses: a command or a script that reaches into a second slot."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from dramatiq.brokers.stub import StubBroker

from middleware.answers import Accepted
from middleware.dispatch_once import DispatchOnce
from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from projector.configure import Configured, configure
from projector.explanation import read_explanation
from projector.listing import Filter, list_statuses
from projector.outcome_feed import outcomes
from projector.rebuild import Rebuilt, rebuild
from projector.requests import request_many
from projector.stats import stats
from projector.trimming import Trimming
from tests.redis.projector.asking import ask, fields, post, queued, reject
from tests.redis.projector.guarding import declare_actor
from tests.redis.projector.test_configuring import configuration
from tests.redis.projector.test_projecting import project_all
from tests.redis.projector.views import generations, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.cluster import ThreeNodeCluster


@pytest.fixture
def spread(cluster: ThreeNodeCluster) -> Iterator[Ledger]:
    """A ledger whose partitions are on all three nodes."""
    store = Store(cluster.url)
    yield Ledger(store, Keys(f"t{secrets.token_hex(6)}", partitions=6), Timing())
    store.close()


@pytest.fixture
def broker(spread: Ledger) -> StubBroker:
    stub = StubBroker(middleware=[DispatchOnce(spread)])
    declare_actor(stub)
    return stub


@pytest.fixture
def tenants(spread: Ledger) -> list[str]:
    """Of all partitions."""
    names = [f"tenant-{number}" for number in range(12)]
    assert {spread.keys.partition_of(name) for name in names} == set(range(6))
    return names


def test_everything_works_on_three_nodes(
    spread: Ledger, broker: StubBroker, tenants: list[str]
) -> None:
    # Given
    assert stats(spread).projector_lag == 0

    # When
    configured = configure(
        spread, {tenant: configuration(f"T{place}") for place, tenant in enumerate(tenants)}
    )
    answers = list(request_many([fields(tenant=tenant) for tenant in tenants], ledger=spread))
    project_all(spread, broker)
    for message in queued(broker):
        post(spread, Delivery(message.kwargs["tenant"], "r1"))
    project_all(spread, broker)
    feed = outcomes(group="billing", ledger=spread, block_ms=60)
    followed = {next(feed).tenant for _ in tenants}

    # Then
    assert configured == [Configured(tenant, 1) for tenant in tenants]
    assert answers == [Accepted()] * len(tenants)
    assert len(queued(broker)) == len(tenants)
    assert followed == set(tenants)
    assert {found.tenant for found in list_statuses(spread, Filter(status="sent"))} == set(tenants)
    assert stats(spread).projector_lag == 0
    assert read_explanation(spread, tenants[0], "r1") is not None


def test_the_log_is_trimmed_on_three_nodes(
    spread: Ledger, broker: StubBroker, tenants: list[str]
) -> None:
    # Given
    forgetful = replace(spread, timing=replace(spread.timing, retention_ms=1))
    partitions = range(spread.keys.partitions)
    for tenant in tenants:
        post(forgetful, ask(forgetful, tenant=tenant))
    project_all(forgetful, broker)
    kept = ask(forgetful, "r2", tenant=tenants[0])

    # When
    trimmed = [Trimming(forgetful, partition).step() for partition in partitions]

    # Then
    assert sum(each.requests for each in trimmed) == len(tenants)
    assert sum(each.outcomes for each in trimmed) == len(tenants)
    left = [spread.store.client.xlen(spread.keys.requests(partition)) for partition in partitions]
    assert sum(left) == left[spread.keys.partition_of(kept.tenant)] == 1


def test_the_views_are_rebuilt_on_three_nodes(
    spread: Ledger, broker: StubBroker, tenants: list[str]
) -> None:
    # Given
    for tenant in tenants:
        reject(spread, ask(spread, tenant=tenant))
        ask(spread, "r2", tenant=tenant)
    project_all(spread, broker)
    before = shown(spread)
    spread.store.client.unlink(*(spread.keys.request(Delivery(name, "r2")) for name in tenants))

    # When
    rebuilt = [each for each in rebuild(spread) if isinstance(each, Rebuilt)]

    # Then
    assert shown(spread) == before
    assert generations(spread) == {(partition, 1) for partition in range(6)}
    assert sum(each.bodies_restored for each in rebuilt) == len(tenants)
    assert len(list(list_statuses(spread, Filter()))) == 2 * len(tenants)
    assert stats(spread).projector_lag == 0
