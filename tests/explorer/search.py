"""Breadth first through all that may happen, so that the first breach has the shortest way."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.explorer.asking import TIMING
from tests.explorer.ending import Endings
from tests.explorer.likeness import Likeness
from tests.explorer.promises import breach
from tests.explorer.state import START_MS, Left, State
from tests.explorer.surroundings import happening
from tests.explorer.told import EmbeddedLedger
from tests.explorer.turn import Care
from tests.explorer.working import working

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from middleware.script import Script
    from tests.explorer.turn import Move


class Model:
    """The scripts, what may happen around them, and what must hold; `changed` replaces scripts.

    A POST made `excused_from_ms` after its `post_by` may be one too many.
    """

    def __init__(
        self,
        *,
        changed: Mapping[str, Script] | None = None,
        care: Care | None = None,
        excused_from_ms: int = TIMING.settle_delay_ms,
    ) -> None:
        self.ledger = EmbeddedLedger(changed=changed)
        self.likeness = Likeness(self.ledger, excused_from_ms=excused_from_ms)
        self._care = care or Care()
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
                yield from working(self.ledger, state, place, self._care)

    def breach(self, before: State, move: Move) -> str | None:
        return breach(self.ledger, before, move, excused_from_ms=self._excused_from_ms)

    def breach_of_endings(self, state: State) -> str | None:
        return self._endings.breach(state)


class WayLostError(Exception):
    """States that count as one did not go on alike: Likeness takes something for irrelevant.

    Says what was broken: it may be, or the way to it may not be one.
    """


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
    began_s = time.process_time()
    start = model.likeness(model.start(left))
    # Each state, and the one that it was first reached from.
    came_from: dict[State, State | None] = {start: None}
    frontier = deque([(0, start)])
    transitions = depth = 0
    broken: str | None = None
    trace: tuple[Move, ...] = ()
    while frontier and broken is None and len(came_from) < most_states:
        depth, state = frontier.popleft()
        for move in model.moves(state):
            transitions += 1
            broken = model.breach(state, move)
            after = model.likeness(move.after)
            if broken is None and not _is_known(after, came_from):
                came_from[after] = state
                broken = model.breach_of_endings(after)
                frontier.append((depth + 1, after))
            if broken is not None:
                trace = _trace(model, left, _way(came_from, state), broken)
                break
    return Result(
        states=len(came_from),
        transitions=transitions,
        script_runs=model.ledger.runs,
        depth=depth,
        seconds=time.process_time() - began_s,
        is_complete=not frontier and broken is None,
        breach=broken,
        trace=trace,
    )


def _is_known(state: State, known: Collection[State]) -> bool:
    """Or one like it, in which more may happen still."""
    return state in known or any(
        state._replace(left=left) in known for left in state.left.one_more()
    )


def _way(came_from: Mapping[State, State | None], last: State) -> list[State]:
    """From the start to this state, which follows the one that it was first reached from."""
    way = [last]
    while (before := came_from[way[-1]]) is not None:
        way.append(before)
    return way[::-1]


def _trace(model: Model, left: Left, way: list[State], broken: str) -> tuple[Move, ...]:
    """As it happens, for the states on the way only stand for those that are like them."""
    moves: list[Move] = []
    state = model.start(left)
    for wanted in way[1:]:
        alike = (move for move in model.moves(state) if model.likeness(move.after) == wanted)
        moves.append(_first(alike, broken))
        state = moves[-1].after
    breaking = (
        move
        for move in model.moves(state)
        if broken in {model.breach(state, move), model.breach_of_endings(move.after)}
    )
    return (*moves, _first(breaking, broken))


def _first(moves: Iterator[Move], broken: str) -> Move:
    """Raise WayLostError."""
    for move in moves:
        return move
    raise WayLostError(broken)
