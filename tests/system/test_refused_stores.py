"""Where the promise cannot be kept nothing starts, and one sentence says why."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from tests.system.processes import ROOT, Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """With a request that waits to be posted."""
    with Installation(tmp_path) as made:
        made.start_store()
        made.ask("waiting")
        yield made


def test_a_store_that_evicts_keys_is_refused_by_workers_and_projectors(
    installation: Installation,
) -> None:
    # Given
    installation.ledger.store.client.config_set("maxmemory-policy", "allkeys-lru")

    # When
    started = [installation.worker(), installation.projector()]
    exit_codes = [each.wait() for each in started]

    # Then
    assert all(exit_codes)
    for each in started:
        assert (
            "maxmemory-policy: allkeys-lru. "
            "A server that evicts keys forgets what was sent: set maxmemory-policy noeviction"
        ) in each.log
    assert_still_waiting(installation)


def test_another_number_of_partitions_is_refused_by_workers_and_projectors(
    installation: Installation,
) -> None:
    # When
    started = [
        installation.worker(POSTONCE_PARTITIONS="5"),
        installation.projector(POSTONCE_PARTITIONS="5"),
    ]
    exit_codes = [each.wait() for each in started]

    # Then
    assert all(exit_codes)
    for each in started:
        assert "partitions: 'postonce' was first used with 4, not 5" in each.log
        assert "Set POSTONCE_PARTITIONS=4, or use another POSTONCE_PREFIX" in each.log
    assert_still_waiting(installation)


@pytest.mark.parametrize("sort", [(), ("--use-spawn",)])
def test_a_worker_ends_with_the_sentence_alone(
    installation: Installation, sort: tuple[str, ...]
) -> None:
    # Given
    installation.ledger.store.client.config_set("maxmemory-policy", "allkeys-lru")

    # When
    worker = installation.worker(*sort)

    # Then
    assert worker.wait() == ExitCode.USAGE
    assert told_by(worker.log, "maxmemory-policy: allkeys-lru. ")
    assert_still_waiting(installation)


def test_a_broken_timing_contract_is_refused_by_workers_and_projectors(
    installation: Installation,
) -> None:
    # When
    started = [
        installation.worker(POSTONCE_LEASE_S="1"),
        installation.projector(POSTONCE_LEASE_S="1"),
    ]
    exit_codes = [each.wait() for each in started]

    # Then
    assert exit_codes == [ExitCode.USAGE] * 2
    for each in started:
        assert told_by(each.log, "POSTONCE_LEASE_S must be at least 1.95, not 1: ")
    assert_still_waiting(installation)


def test_a_service_can_catch_what_a_worker_can_only_say() -> None:
    # Given
    program = """
import dramatiq.cli
from projector.errors import SettingsRefused
try:
    import actors.app
except SettingsRefused as refused:
    print(refused)
"""

    # When
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"POSTONCE_LEASE_S": "1"},
        capture_output=True,
        check=True,
        text=True,
    )

    # Then
    assert ended.stdout.startswith("POSTONCE_LEASE_S must be")
    assert ended.stderr == ""


def told_by(log: str, words: str) -> bool:
    """Whether one line says it, and no traceback."""
    said = [line for line in log.splitlines() if words in line]
    return len(said) == 1 and "Traceback" not in log


def assert_still_waiting(installation: Installation) -> None:
    assert installation.statuses("waiting")["waiting"].status == "waiting"
    assert installation.queue_keys() == []
    assert installation.slack.attempts == ()
