"""One stage for each test process; what one of them has recorded serves all."""

from __future__ import annotations

import fcntl
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from tests.system.crashing.campaign import Recording, record_all
from tests.system.crashing.points import Place
from tests.system.crashing.scenarios import SCENARIOS
from tests.system.crashing.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("crashing")) as made:
        yield made


@pytest.fixture(scope="session")
def recordings(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Sequence[Recording]:
    """Of every scenario, in their order; the same in all processes of a test run."""
    own = tmp_path_factory.getbasetemp()
    file = (own if worker_id == "master" else own.parent) / "recordings.json"
    with file.open("a+", encoding="utf-8") as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)
        if file.stat().st_size == 0:
            made = record_all(stage, SCENARIOS)
            json.dump([[asdict(place) for place in each.places] for each in made], shared)
    return _read(file)


def _read(file: Path) -> list[Recording]:
    kept = json.loads(file.read_text("utf-8"))
    return [
        Recording(scenario, tuple(Place(**place) for place in places))
        for scenario, places in zip(SCENARIOS, kept, strict=True)
    ]
