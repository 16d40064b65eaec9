"""The store is away, dies or stands still; nothing is lost, posted twice, or in need of help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.script import Script, digest
from sandbox.slack.faults import Held
from tests.lossy_proxy import LossyProxy
from tests.system.processes import Installation
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# By this name the store is asked for what a message is prepared from.
READING = digest(Script.load("projector", "resolve").body(clock_is_argument=False))


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Its store keeps every write, and is not started yet."""
    with Installation(tmp_path, appendonly=True) as made:
        yield made


def test_what_starts_before_its_store_goes_on_by_itself(installation: Installation) -> None:
    # Given
    projector = installation.projector()
    worker = installation.ready_worker()
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
    installation: Installation,
) -> None:
    # Given
    ids = [f"drained-{number}" for number in range(100)]
    installation.slack.change(slow_ms=50)
    installation.start_store()
    installation.projector()
    worker = installation.ready_worker()
    for each in ids:
        installation.ask(each)
    installation.wait_for_attempts(30)

    # When
    installation.store.kill()
    worker.wait_for("delivery.sent.unrecorded")
    installation.store.start()
    statuses = installation.wait_until_settled(*ids)

    # Then
    assert {each.status for each in statuses.values()} <= {"sent", "unproven"}
    assert max(len(installation.attempts_of(each)) for each in ids) == 1
    assert sorted(each for each, _ in installation.told()) == sorted(ids)


def test_a_store_that_stands_still_for_a_moment_is_waited_for(installation: Installation) -> None:
    # Given
    ids = [f"paused-{number}" for number in range(16)]
    installation.slack.fault(Held(delay_ms=300, times=None))
    installation.start_store()
    installation.projector()
    worker = installation.ready_worker()
    for each in ids:
        installation.ask(each)
    installation.wait_for_attempts(8)

    # When
    installation.store.pause()
    wait_until(lambda: len(installation.slack.posts) == 8, description="Slack has taken them")
    installation.store.resume()
    statuses = installation.wait_until_settled(*ids)

    # Then
    assert {each.status for each in statuses.values()} == {"sent"}
    assert [len(installation.attempts_of(each)) for each in ids] == [1] * 16
    assert "unrecorded" not in worker.log


def test_a_store_that_stands_still_for_longer_than_its_clients_wait_is_asked_again(
    installation: Installation,
) -> None:
    # Given
    ids = [f"stalled-{number}" for number in range(16)]
    installation.slack.fault(Held(delay_ms=300, times=None))
    installation.start_store()
    installation.projector()
    impatient = f"{installation.store.url}?socket_timeout=0.2"
    worker = installation.ready_worker(POSTONCE_REDIS_URL=impatient)
    for each in ids:
        installation.ask(each)
    installation.wait_for_attempts(8)

    # When
    installation.store.pause()
    worker.wait_for("delivery.sent.unrecorded")
    installation.store.resume()
    statuses = installation.wait_until_settled(*ids)

    # Then
    assert "Traceback" not in worker.log
    assert {each.status for each in statuses.values()} == {"sent"}
    assert [len(installation.attempts_of(each)) for each in ids] == [1] * 16
    assert sorted(each for each, _ in installation.told()) == sorted(ids)


def test_a_store_that_is_away_while_a_message_is_prepared_uses_up_no_attempt(
    installation: Installation,
) -> None:
    # Given
    installation.start_store()
    with LossyProxy(installation.store.port) as way:
        worker = installation.ready_worker(POSTONCE_REDIS_URL=way.url)
        # The first time and every repetition.
        way.lose_next_reply(to=READING.encode(), times=4)

        # When
        installation.ask("prepared", max_attempts=1)
        status = installation.wait_until_settled("prepared")["prepared"]

    # Then
    assert way.lost_replies == 4
    assert (status.status, status.attempts) == ("sent", 1)
    assert "Traceback" not in worker.log
