"""Beyond the bounds of any search: random ways, where everything may go wrong as often as it likes.

A seed gives the same ways again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.explorer.state import Left

if TYPE_CHECKING:
    from tests.explorer.search import Model
    from tests.explorer.turn import Move

UNLIMITED = Left(*[-1] * len(Left._fields))
# Several rounds, each up to its expiry.
LENGTH = 150


@dataclass(frozen=True, slots=True)
class Walked:
    moves: tuple[Move, ...]
    breach: str | None


def walk(model: Model, seed: int, *, left: Left = UNLIMITED, length: int = LENGTH) -> Walked:
    """One way of this many moves, or up to a breach."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    state = model.start(left)
    moves: list[Move] = []
    while len(moves) < length:
        move = chance.choice(list(model.moves(state)))
        moves.append(move)
        broken = model.breach(state, move) or model.breach_of_endings(move.after)
        if broken is not None:
            return Walked(tuple(moves), broken)
        state = move.after
    return Walked(tuple(moves), None)
