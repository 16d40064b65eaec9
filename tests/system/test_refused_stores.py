"""On a store that cannot keep the promise nothing starts, and a sentence says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.processes import Installation

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


def assert_still_waiting(installation: Installation) -> None:
    assert installation.statuses("waiting")["waiting"].status == "waiting"
    assert installation.queue_keys() == []
    assert installation.slack.attempts == ()
