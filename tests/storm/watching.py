"""Looks at the storm once a second, and says what it sees."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

from middleware.errors import LedgerUnavailable
from projector.stats import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.storm.site import Site
    from tests.storm.striking import Striking

_LOOK_EVERY_S = 1.0


class Watch:
    def __init__(self, site: Site, striking: Striking, say: Callable[[str], None]) -> None:
        """`say` gets a line at each look."""
        self.begun_s = time.monotonic()
        self._site = site
        self._striking = striking
        self._say = say
        self._pausing = Event()

    def until(self, is_over: Callable[[], bool], *, within_s: float) -> bool:
        """False when it has taken too long."""
        deadline_s = time.monotonic() + within_s
        while not (came_true := is_over()) and time.monotonic() < deadline_s:
            self._say(self._line())
            for host in self._site.hosts:
                host.check()
            self._pausing.wait(_LOOK_EVERY_S)
        return came_true

    def is_at_rest(self) -> bool:
        """Nothing is open, and all is folded."""
        return self._left() == (0, 0)

    def _line(self) -> str:
        totals = self._site.slack.totals()
        left = self._left()
        return (
            f"{time.monotonic() - self.begun_s:5.0f} s  "
            f"POSTs {totals['received']}  posted {totals['stored']}  "
            f"open {'? (the store is away)' if left is None else left[0]}  "
            f"faults {totals['faults']}  blows {len(self._striking.struck)}"
        )

    def _left(self) -> tuple[int, int] | None:
        """How many requests are open, and events not folded; None while the store is away."""
        try:
            now = stats(self._site.ledger)
        except LedgerUnavailable:
            return None
        is_open = now.waiting + now.delayed + now.claimed + now.sending + now.uncertain
        return is_open, now.projector_lag
