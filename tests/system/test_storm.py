from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from sandbox.demo.interruptions import Interruptions
from tests.storm.evidence import evidence
from tests.storm.forecast import Storm
from tests.storm.passing import pass_over
from tests.storm.site import Site

if TYPE_CHECKING:
    from pathlib import Path


# It waits for doubts to be looked into, and for nine interpreters to start.
@pytest.mark.timeout(150)
def test_a_short_storm_loses_and_doubles_nothing(tmp_path: Path) -> None:
    # Given
    storm = Storm(
        seconds=5,
        kills=5,
        faults=0.3,
        # After a look that failed, the next one is made a quarter of a minute later.
        history_faults=0,
        # Of those that kill each worker once, the one whose last blow comes soonest.
        seed=174,
        rate=20,
    )
    site = Site(tmp_path)

    # When
    with Interruptions() as interruptions, site.running(interruptions):
        passed = pass_over(site, storm, lambda _line: None)
        told = "\n".join(evidence(passed.verdict, passed.observed, passed.striking.struck, site))

    # Then
    verdict = passed.verdict
    assert (verdict.doubled, verdict.lost, verdict.open, verdict.unproven) == (0, 0, 0, 0), told
    assert verdict.holds, (verdict.objections, told)
    assert verdict.sent > 0.8 * verdict.accepted
    trouble = passed.observed.trouble
    assert len(+Counter(trouble.post_faults)) >= 5
    assert all(
        trouble.blows[f"{does} {victim}"] > 0
        for does in ("kill", "pause")
        for victim in ("worker", "projector", "valkey")
    )
