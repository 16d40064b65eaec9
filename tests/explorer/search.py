"""Breadth first through all that may happen, so that the first breach has the shortest way."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tests.explorer.asking import TIMING
from tests.explorer.ending import Endings
from tests.explorer.likeness import Likeness
from tests.explorer.promises import breach
from tests.explorer.state import Left, State
from tests.explorer.surroundings import happening
from tests.explorer.told import EmbeddedLedger
from tests.explorer.working import working

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from middleware.script import Script
    from tests.explorer.turn import Move

START_MS = 1_700_000_000_000


class Model:
    """The scripts, what may happen around them, and what must hold; `changed` replaces scripts.

    A worker that does not heed `post_by` posts whenever it comes to it. A POST made
    `excused_from_ms` after its `post_by` may be one too many.
    """

    def __init__(
        self,
        *,
        changed: Mapping[str, Script] | None = None,
        heeds_post_by: bool = True,
        excused_from_ms: int = TIMING.settle_delay_ms,
    ) -> None:
        self.ledger = EmbeddedLedger(changed=changed)
        self.likeness = Likeness(self.ledger)
        self._heeds_post_by = heeds_post_by
        self._excused_from_ms = excused_from_ms
        self._endings = Endings(self.ledger, self.likeness)

    def start(self, left: Left) -> State:
        told = self.ledger.ask(self.ledger.empty, ("enter_epoch",), server=1, now_ms=START_MS)
        return State(START_MS, told.ledger, left)

    def moves(self, state: State) -> Iterator[Move]:
        yield from happening(self.ledger, state)
        for place in (0, 1):
            # Two that know the same do the same.
            if place == 0 or state.workers[0] != state.workers[1]:
                yield from working(self.ledger, state, place, heeds_post_by=self._heeds_post_by)

    def breach(self, before: State, move: Move) -> str | None:
        return breach(self.ledger, before, move, excused_from_ms=self._excused_from_ms)

    def breach_of_endings(self, state: State) -> str | None:
        return self._endings.breach(state)


class Step(NamedTuple):
    """The way to a state: from which other one, and by what move."""

    came_from: int
    move: Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Every way of up to `depth` moves was gone, and where it is complete there is no other state.

    `trace` is the shortest way to the breach, from the start on.
    """

    states: int
    transitions: int
    script_runs: int
    depth: int
    seconds: float
    is_complete: bool
    breach: str | None = None
    trace: tuple[Move, ...] = ()


def search(model: Model, left: Left, *, most_states: int) -> Result:
    """Everything that can be reached, up to a breach, or until so many states are known."""
    began_s = time.monotonic()
    start = model.start(left)
    seen = {model.likeness(start)}
    way: list[Step] = []
    frontier = deque([(-1, 0, start)])
    transitions = depth = 0
    broken: str | None = None
    trace: tuple[Move, ...] = ()
    while frontier and broken is None and len(seen) < most_states:
        came_from, depth, state = frontier.popleft()
        for move in model.moves(state):
            transitions += 1
            broken = model.breach(state, move)
            key = model.likeness(move.after)
            if broken is None and key not in seen:
                seen.add(key)
                broken = model.breach_of_endings(move.after)
                frontier.append((len(way), depth + 1, move.after))
                way.append(Step(came_from, move))
            if broken is not None:
                trace = (*_trace(way, came_from), move)
                break
    return Result(
        states=len(seen),
        transitions=transitions,
        script_runs=model.ledger.runs,
        depth=depth,
        seconds=time.monotonic() - began_s,
        is_complete=not frontier and broken is None,
        breach=broken,
        trace=trace,
    )


def _trace(way: list[Step], place: int) -> tuple[Move, ...]:
    moves: list[Move] = []
    while place >= 0:
        moves.append(way[place].move)
        place = way[place].came_from
    return tuple(reversed(moves))
