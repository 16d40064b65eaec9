from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.pausing import (
    PROMISED,
    paused_after_the_last_look,
    paused_before_the_last_look,
    paused_in_the_middle,
    shortest_hole_s,
)
from tests.system.processes import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKEN_OVER = ("claimed by the paused worker", "looking by another")


@pytest.fixture(scope="module")
def module_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("logs")) as made:
        made.start_store().projector()
        yield made


@pytest.fixture
def installation(module_installation: Installation) -> Iterator[Installation]:
    """Each pauses a worker of its own, and leaves none behind."""
    yield module_installation
    module_installation.kill_workers()


def test_a_worker_that_is_paused_in_the_middle_of_its_post_is_found_out_by_a_look(
    installation: Installation,
) -> None:
    # When
    figures = paused_in_the_middle(installation)

    # Then
    # The answer lay there when it went on, and says the same.
    assert figures.came_of_it == PROMISED[paused_in_the_middle]
    assert figures.claims == TAKEN_OVER


def test_a_worker_that_is_paused_before_its_post_writes_nothing_after_post_by(
    installation: Installation,
) -> None:
    # When
    figures = paused_before_the_last_look(installation)

    # Then
    assert figures.came_of_it == PROMISED[paused_before_the_last_look]
    assert figures.claims == TAKEN_OVER
    assert len(installation.attempts_of("before")) == 1


def test_the_second_message_of_a_pause_in_the_hole_is_told(installation: Installation) -> None:
    # When
    figures = paused_after_the_last_look(installation)

    # Then
    assert figures.came_of_it == PROMISED[paused_after_the_last_look]
    assert ("after", "duplicate_post") in installation.told()
    assert figures.paused_s > shortest_hole_s(installation.ledger.timing)[0]
