"""The searches that are made: what may go wrong in each, how often, and how far it is followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.explorer.asking import TIMING
from tests.explorer.search import Model, search
from tests.explorer.state import Left

if TYPE_CHECKING:
    from tests.explorer.search import Result

# Two of them are small enough to be gone through as a whole; what the others may reach is up to a
# hundred times as much, so each is followed for some ten seconds.
_ALL_STATES = 100_000
_MOST_STATES = 20_000


@dataclass(frozen=True, slots=True)
class Campaign:
    name: str
    left: Left
    most_states: int = _MOST_STATES

    def run(self) -> Result:
        return search(Model(), self.left, most_states=self.most_states)


CAMPAIGNS = (
    Campaign("time, order, lost answers of POSTs", Left(), _ALL_STATES),
    Campaign("a worker dies", Left(crashes=1), _ALL_STATES),
    Campaign("a reply of the store is lost", Left(lost_replies=1)),
    Campaign("a worker is paused before its POST", Left(pauses=1)),
    Campaign("the channel is renamed", Left(moves=1)),
    Campaign("somebody cancels", Left(cancels=1)),
    Campaign("somebody redrives", Left(redrives=1)),
    Campaign("the store forgets", Left(rollbacks=1)),
    Campaign("two of each", Left(2, 2, 2, 2, 2, 2, 2)),
)


def search_late_post(*, most_late_ms: int) -> Result:
    """For a post too many, where a POST that is at most so late must not be one."""
    model = Model(excused_from_ms=most_late_ms + 1)
    return search(model, Left(pauses=1), most_states=_ALL_STATES)


def lateness_of(result: Result) -> int:
    """Of the latest POST on the way to the breach: how long after its `post_by` it was made."""
    return max(post.late_ms for post in result.trace[-1].after.posts)


SETTLE_DELAY_MS = TIMING.settle_delay_ms
