"""The store is away, dies or stands still; nothing is lost, posted twice, or in need of help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.script import Script, digest
from sandbox.servers import HOST, ValkeyProcess
from sandbox.slack.faults import Held
from tests.lossy_proxy import LossyProxy
from tests.system.processes import Installation
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.process_group import ProcessGroup

# What a worker says that has a receipt and cannot record it; it says so until it can.
UNRECORDED = "delivery.sent.unrecorded"
# By this name the store is asked for what a message is prepared from.
READING = digest(
    Script.load("projector", "resolve").body(clock_is_argument=False, identity_is_argument=False)
)


@pytest.fixture(scope="module")
def module_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Its store keeps every write."""
    store = ValkeyProcess(appendonly=True)
    with Installation(tmp_path_factory.mktemp("logs"), store=store) as made:
        yield made.start_store()


@pytest.fixture
def installation(module_installation: Installation) -> Installation:
    """With a running projector and a Slack that is empty and slow, so that much is in flight."""
    module_installation.running_projector()
    module_installation.slack.clear()
    module_installation.slack.change(slow_ms=50)
    return module_installation


@pytest.fixture
def worker(installation: Installation) -> ProcessGroup:
    return installation.running_worker()


@pytest.fixture
def without_workers(installation: Installation) -> Iterator[Installation]:
    """None is left behind either: whoever comes next wants an ordinary one."""
    installation.kill_workers()
    yield installation
    installation.kill_workers()


def asked(installation: Installation, count: int, name: str) -> list[str]:
    ids = [f"{name}-{number}" for number in range(count)]
    for each in ids:
        installation.ask(each)
    return ids


def assert_each_sent_once(installation: Installation, ids: list[str]) -> None:
    """Posted once each, and those who follow outcomes are told the same."""
    statuses = installation.wait_until_settled(*ids)
    assert {each.status for each in statuses.values()} == {"sent"}
    assert [len(installation.attempts_of(each)) for each in ids] == [1] * len(ids)
    told = [(each, event) for each, event in installation.told() if each in ids]
    assert sorted(told) == sorted((each, "sent") for each in ids)


def test_what_starts_before_its_store_goes_on_by_itself(tmp_path: Path) -> None:
    with Installation(tmp_path) as installation:
        # Given
        projector = installation.projector()
        worker = installation.worker()
        projector.wait_for("waits and tries again")
        worker.wait_for("sweep.waits")
        refused = installation.command("status", "acme", "early")

        # When
        installation.start_store()
        installation.ask("early")
        statuses = installation.wait_until_settled("early")

        # Then
        assert refused.returncode == 4
        assert "the store cannot be reached" in refused.stderr
        assert statuses["early"].status == "sent"
        assert len(installation.attempts_of("early")) == 1


def test_a_store_killed_in_the_middle_of_a_drain_loses_and_doubles_nothing(
    installation: Installation, worker: ProcessGroup
) -> None:
    # Given
    ids = asked(installation, 100, "drained")
    installation.wait_for_attempts(30)

    # When
    installation.store.kill()
    worker.wait_for_another(UNRECORDED)
    installation.store.start()

    # Then
    assert_each_sent_once(installation, ids)


def test_a_store_that_stands_still_for_a_moment_is_waited_for(
    installation: Installation, worker: ProcessGroup
) -> None:
    # Given
    installation.slack.fault(Held(delay_ms=300, times=None))
    ids = asked(installation, 16, "paused")
    installation.wait_for_attempts(8)
    unrecorded = worker.log.count(UNRECORDED)

    # When
    installation.store.pause()
    wait_until(lambda: len(installation.slack.posts) == 8, description="Slack has taken them")
    installation.store.resume()

    # Then
    assert_each_sent_once(installation, ids)
    assert worker.log.count(UNRECORDED) == unrecorded


def test_a_store_that_refuses_to_write_for_a_while_is_waited_for(
    installation: Installation, worker: ProcessGroup
) -> None:
    # Given
    ids = asked(installation, 40, "read-only")
    installation.wait_for_attempts(10)

    # When
    # As the old primary does after a failover.
    installation.ledger.store.client.replicaof(HOST, "1")
    worker.wait_for_another(UNRECORDED)
    worker.wait_for_another("Consumer encountered")
    installation.ledger.store.client.replicaof("NO", "ONE")

    # Then
    assert_each_sent_once(installation, ids)


def test_a_store_that_stands_still_for_longer_than_its_clients_wait_is_asked_again(
    without_workers: Installation,
) -> None:
    # Given
    installation = without_workers
    impatient = f"{installation.store.url}?socket_timeout=0.2"
    worker = installation.worker(POSTONCE_REDIS_URL=impatient)
    installation.slack.fault(Held(delay_ms=300, times=None))
    ids = asked(installation, 16, "stalled")
    installation.wait_for_attempts(8)

    # When
    installation.store.pause()
    worker.wait_for(UNRECORDED)
    installation.store.resume()

    # Then
    assert_each_sent_once(installation, ids)
    assert "Traceback" not in worker.log


def test_a_store_that_is_away_while_a_message_is_prepared_uses_up_no_attempt(
    without_workers: Installation,
) -> None:
    # Given
    installation = without_workers
    with LossyProxy(installation.store.port) as way:
        worker = installation.worker(POSTONCE_REDIS_URL=way.url)
        # The first time and every repetition.
        way.lose_next_reply(to=READING.encode(), times=4)

        # When
        installation.ask("prepared", max_attempts=1)
        status = installation.wait_until_settled("prepared")["prepared"]

        # Then
        assert way.lost_replies == 4
        assert (status.status, status.attempts) == ("sent", 1)
        assert "Traceback" not in worker.log
