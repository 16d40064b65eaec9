"""The last read of each place, so that a later look needs none of its own, or goes on with it.

They are bounded together: the one read longest ago is forgotten first, which costs reading again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.slack.history_read import HistoryRead
    from actors.slack.sought import Place

# Some 300 bytes each.
MOST_MARKERS = 100_000


class KeptReads:
    def __init__(self, *, most: int = MOST_MARKERS) -> None:
        self._most = most
        self._reads: dict[Place, HistoryRead] = {}
        # A read under way grows, so what was counted for it is remembered.
        self._weights: dict[Place, int] = {}
        self._total = 0

    def get(self, place: Place) -> HistoryRead | None:
        return self._reads.get(place)

    def keep(self, read: HistoryRead) -> bool:
        """In place of an earlier one; False, and forgotten, when it is too large by itself."""
        self.forget(read.place)
        if read.weight > self._most:
            return False
        self._reads[read.place] = read
        self._weights[read.place] = read.weight
        self._total += read.weight
        while self._total > self._most:
            self.forget(next(iter(self._reads)))
        return True

    def forget(self, place: Place) -> None:
        self._reads.pop(place, None)
        self._total -= self._weights.pop(place, 0)
