"""Rows 15 to 17: what the store may do to the ledger, and what its clients' clocks may not."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from actors.tenants_file import read_tenants_file
from middleware.answers import Accepted
from middleware.errors import StoreRefused
from projector.configure import configure
from sandbox.servers import ValkeyProcess
from sandbox.slack.faults import Slow
from tests.system.deliveries import OPS, SLOW, TENANT
from tests.system.guarantees.small_system import SmallSystem
from tests.system.guarantees.verdicts import assert_posted_once, assert_sent_once
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.cluster import ThreeNodeCluster
    from tests.system.processes import Installation

HOUR_S = 3_600
SKEWED = "tests.system.guarantees.skewed_app"


@pytest.fixture
def durable() -> Iterator[ValkeyProcess]:
    """A server that keeps every write it answers."""
    with ValkeyProcess(appendonly=True, appendfsync="always") as server:
        yield server


def tenant_of_each_partition(system: SmallSystem) -> list[str]:
    found: dict[int, str] = {}
    for number in range(1_000):
        tenant = f"tenant-{number}"
        found.setdefault(system.ledger.keys.partition_of(tenant), tenant)
    return [found[partition] for partition in sorted(found)]


def test_row_15_a_server_that_evicts_keys_is_refused() -> None:
    # Given
    with ValkeyProcess(config={"maxmemory-policy": "allkeys-lru"}) as server:
        # When
        with pytest.raises(StoreRefused) as refusal, SmallSystem(server.url, "g") as system:
            system.ask("r1")

    # Then
    assert "maxmemory-policy" in str(refusal.value)


def test_row_15_a_server_that_may_lose_writes_is_warned_of(
    make_system: Callable[..., SmallSystem], caplog: pytest.LogCaptureFixture
) -> None:
    # When
    make_system()

    # Then
    assert "set appendonly yes, appendfsync always" in caplog.text, "nobody was warned"


def test_row_15_a_restart_that_kept_every_write_leaves_nothing_in_doubt(
    durable: ValkeyProcess,
) -> None:
    # Given
    with SmallSystem(durable.url, "g") as system:
        system.ask("r1")

        # When
        durable.kill()
        durable.start()
        system.start()
        status = system.wait_until_settled("r1")["r1"]

        # Then
        assert "uncertain" not in system.noted("r1"), "it was taken for one that may be posted"
        assert status.status == "sent"
        assert_posted_once(system, "r1")


def test_row_15_what_a_restart_forgot_to_be_sent_is_not_posted_again() -> None:
    # Given: a server that loses what it wrote after its last snapshot.
    with ValkeyProcess() as server, SmallSystem(server.url, "g") as system:
        system.ask("r1")
        server.client().save()
        system.start_worker()
        assert_sent_once(system, "r1")
        system.stop_worker()

        # When
        server.kill()
        server.start()
        forgotten = system.state("r1")
        system.start_worker()
        system.wait_until_settled("r1")

        # Then
        assert forgotten == "waiting"
        assert_posted_once(system, "r1")


def test_row_16_a_worker_whose_clock_is_wrong_is_neither_early_nor_late(
    installation: Installation,
) -> None:
    # Given
    installation.slack.fault(Slow(delay_ms=500, channel=SLOW, times=None))
    workers = [installation.worker(app=SKEWED, SKEW_S=str(skew_s)) for skew_s in (HOUR_S, -HOUR_S)]
    for worker in workers:
        worker.wait_for("Worker process is ready for action")

    # When
    # Long enough for a sweeper that is an hour ahead to have looked in between.
    send_at_s = time.time() + 4
    installation.ask("later", send_at=datetime.fromtimestamp(send_at_s, UTC).isoformat())
    held = [f"held-{number}" for number in range(6)]
    for each in held:
        installation.ask(each, channel_code="slow")

    # Then
    assert_sent_once(installation, "later", *held)
    (post,) = installation.posts_of("later")
    # Slack's clock counts microseconds, a request's milliseconds.
    assert float(post.ts) > send_at_s - 0.01, "it was posted before its time"
    attempts = {each.attempts for each in installation.statuses("later", *held).values()}
    assert attempts == {1}, "a claim was taken away from its holder"


def test_row_17_everything_works_on_a_cluster_of_three_nodes(
    cluster: ThreeNodeCluster, make_system: Callable[..., SmallSystem]
) -> None:
    # Given
    system = make_system(store_url=cluster.url, partitions=6)
    tenants = tenant_of_each_partition(system)
    configure(
        system.ledger,
        read_tenants_file(
            "tenants:\n"
            + "".join(
                f"  {tenant}: {{workspaces: {{main: {{team_id: TC{number}}}}}, "
                f"channels: {{ops: {{workspace: main, id: {OPS}}}}}, "
                'templates: {hi: {text: "Hello {{ name }}"}}}\n'
                for number, tenant in enumerate(tenants)
            )
        ),
    )
    system.start()

    # When
    answers = [system.ask("r1", tenant=tenant) for tenant in tenants]

    # Then
    assert answers == [Accepted()] * 6
    for tenant in tenants:
        assert system.wait_until_settled("r1", tenant=tenant)["r1"].status == "sent"
    assert len(system.slack.posts) == 6
    assert sorted(post.team for post in system.slack.posts) == [f"TC{n}" for n in range(6)]
    wait_until(lambda: len(system.told()) == 6, description="six outcomes are told")
    assert TENANT not in tenants
