"""A storm that was none proves nothing: where there was less of it than was asked for.

Each shortfall is a sentence; none is the expected answer.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.storm.forecast import blows_of
from tests.storm.lies import KNOWN_FATES
from tests.storm.striking import ROBBERIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.storm.observing import Observed

# Of what is asked for; a storm in which workers were never up would have shown nothing.
_TRIED = 0.5


def to_be_tried(asked: int) -> float:
    """How many POSTs must reach Slack while it storms."""
    return _TRIED * asked


def shortfalls(observed: Observed, *, unproven: int) -> Iterator[str]:
    storm, trouble, asked = observed.storm, observed.trouble, len(observed.asked)
    yield from trouble.notices
    for blow, wanted in Counter(f"{each.does} {each.victim}" for each in blows_of(storm)).items():
        if trouble.blows[blow] < wanted:
            yield f"{blow}: {trouble.blows[blow]}, not {wanted} of them"
    if not any(trouble.blows[robbery] for robbery in ROBBERIES):
        yield "no message was stolen from the queue"
    if storm.faults and not any(trouble.post_faults.values()):
        yield f"no POST was answered badly, not {storm.faults:.0%} of them"
    if trouble.received < to_be_tried(asked):
        yield f"only {trouble.received} POSTs reached Slack in the storm, for {asked} requests"
    unknown = sum(trouble.post_faults[kind] for kind in trouble.post_faults.keys() - KNOWN_FATES)
    if not storm.readable and unknown and not unproven:
        yield (
            f"nothing is unproven, though {unknown} POSTs were of unknown fate and Slack's history "
            "cannot be read"
        )
