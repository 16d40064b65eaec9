"""The store loses writes, or does not, while messages are sent; `lost_writes` has the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.losing_writes import Kind, Rules, power_loss, promotion, restart
from tests.system.loss_figures import Figures, observe

if TYPE_CHECKING:
    from pathlib import Path

ATTEMPTS = 15

# Each takes three servers or a second's writes to lose; rule 8 has shorter tests of its own.
pytestmark = pytest.mark.exhaustive


def observed(kind: Kind, directory: Path) -> Figures:
    with kind(directory, Rules()) as scene:
        return observe(scene, attempts=ATTEMPTS)


def test_a_server_that_keeps_every_write_begins_no_new_epoch_by_its_restart(
    tmp_path: Path,
) -> None:
    # When
    figures = observed(restart, tmp_path)

    # Then
    assert (figures.epochs, figures.forgotten) == (0, 0)
    assert (figures.open, figures.lost, figures.doubled) == (0, 0, 0)


@pytest.mark.parametrize("kind", [power_loss, promotion])
def test_what_was_open_when_writes_were_lost_is_looked_for_and_sent_once(
    tmp_path: Path, kind: Kind
) -> None:
    # When
    figures = observed(kind, tmp_path)

    # Then
    assert figures.epochs > 0
    assert figures.uncertain > 0
    assert (figures.open, figures.unproven, figures.lost, figures.doubled) == (0, 0, 0, 0)
