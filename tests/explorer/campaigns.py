"""The searches that are made: what may go wrong in each, how often, and how far it is followed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.explorer.asking import TIMING
from tests.explorer.search import Model, search
from tests.explorer.state import Left

if TYPE_CHECKING:
    from tests.explorer.search import Result

# All but the last four are smaller.
MOST_STATES = 150_000
# As far as a test goes, where that is not to the end: all together take it minutes, not seconds.
_TESTED_STATES = 20_000
# As often as it likes: the state counts nothing then, so that there is less of it.
_ANY = -1


@dataclass(frozen=True, slots=True)
class Campaign:
    """A test follows it to its end, if that comes `within` so many states."""

    name: str
    left: Left
    within: int | None = None

    @property
    def tested_states(self) -> int:
        return self.within or _TESTED_STATES

    def run(self, most_states: int) -> Result:
        return search(Model(), self.left, most_states=most_states)


CAMPAIGNS = (
    Campaign("time, order, lost answers of POSTs", Left(), within=20_000),
    Campaign("workers die", Left(crashes=_ANY), within=25_000),
    Campaign("replies of the store are lost", Left(lost_replies=_ANY)),
    Campaign("workers are paused before their POSTs", Left(pauses=_ANY)),
    Campaign("the channel is renamed", Left(moves=1), within=60_000),
    Campaign("somebody cancels", Left(cancels=_ANY), within=40_000),
    Campaign("somebody redrives", Left(redrives=1)),
    Campaign("somebody redrives twice", Left(redrives=2)),
    Campaign("the store forgets", Left(rollbacks=1)),
    Campaign("the store forgets, the channel is renamed", Left(moves=1, rollbacks=1)),
    Campaign("two of each", Left(2, 2, 2, 2, 2, 2, 2)),
)


def search_late_post(*, most_late_ms: int) -> Result:
    """For a post too many, where a POST that is at most so late must not be one."""
    model = Model(excused_from_ms=most_late_ms + 1)
    return search(model, Left(pauses=_ANY), most_states=sys.maxsize)


def lateness_of(result: Result) -> int:
    """Of the latest POST on the way to the breach: how long after its `post_by` it was made."""
    return max(post.late_ms for post in result.trace[-1].after.posts)


SETTLE_DELAY_MS = TIMING.settle_delay_ms
