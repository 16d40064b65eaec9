"""A state stands for another only if whatever can follow from the one can follow from the other."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.explorer.campaigns import CAMPAIGNS, Campaign
from tests.explorer.search import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.explorer.state import State

Following = tuple["State", str | None, str | None]

_MOST_STATES = 200
_LENGTH = 60


@pytest.mark.parametrize("campaign", [pytest.param(each, id=each.name) for each in CAMPAIGNS])
def test_what_follows_from_a_state_follows_from_the_one_that_stands_for_it(
    campaign: Campaign,
) -> None:
    # Given
    model = Model()

    for state in _met(model, campaign, seed=0):
        # When
        stands_for_it = model.likeness(state)

        # Then
        assert _following(model, stands_for_it) == _following(model, state), state


def _met(model: Model, campaign: Campaign, seed: int) -> Iterator[State]:
    """On random ways, which prefer what none of them has met."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    met: set[State] = set()
    while len(met) < _MOST_STATES:
        state = model.start(campaign.left)
        for _ in range(_LENGTH):
            after = [move.after for move in model.moves(state)]
            new = [state for state in after if model.likeness(state) not in met]
            state = chance.choice(new or after)
            if new:
                met.add(model.likeness(state))
                yield state


def _following(model: Model, state: State) -> set[Following]:
    """Where it leads, and what that breaks."""
    staying: Following = (model.likeness(state), None, None)
    leading: set[Following] = {
        (model.likeness(move.after), model.breach(state, move), model.breach_of_endings(move.after))
        for move in model.moves(state)
    }
    return leading - {staying}
