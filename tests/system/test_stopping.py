"""A worker that is told to stop finishes what it posts and hands back what it only fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.processes import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# So long that nothing is dispatched again: what another worker sends came back to the queue.
_LONG_S = 60.0


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path, dispatch_window_s=_LONG_S) as made:
        yield made.start_store()


def test_posts_in_flight_are_finished_and_the_rest_goes_to_the_next_worker(
    installation: Installation,
) -> None:
    # Given
    ids = [f"r{number}" for number in range(80)]
    installation.slack.change(slow_ms=300)
    for each in ids:
        installation.ask(each)
    installation.projector()
    worker = installation.ready_worker()
    installation.wait_for_attempts(8)

    # When
    worker.terminate()
    worker.wait_for("Stopping worker process")
    # As Ctrl-C pressed again does, and systemd where it signals all processes of a unit.
    worker.terminate()
    exit_code = worker.wait()
    states = {each.status for each in installation.statuses(*ids).values()}
    installation.slack.change(slow_ms=0)
    installation.ready_worker()
    statuses = installation.wait_until_settled(*ids)

    # Then
    assert exit_code == 0
    assert states == {"sent", "waiting"}
    assert {each.status for each in statuses.values()} == {"sent"}
    assert [len(installation.attempts_of(each)) for each in ids] == [1] * 80
