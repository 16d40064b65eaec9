from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Lost, Ok, Settled
from tests.redis.ledger_calls import FENCED, OTHER
from tests.redis.ledger_view import OPEN, TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig

# These tell a worker that comes too late how it ended; for the others it makes no difference.
TELL_THE_OUTCOME = ("intend", "absent")


@pytest.mark.parametrize("transition", FENCED)
@pytest.mark.parametrize("place", ["none", *OPEN, "looking", *TERMINAL])
def test_a_token_that_is_not_the_holders_changes_nothing(
    rig: Rig, place: str, transition: str
) -> None:
    # Given
    rig.brought_to(place)

    # When
    answer = rig.unchanged(FENCED[transition](rig, OTHER))

    # Then
    tells = place in TERMINAL and transition in TELL_THE_OUTCOME
    assert answer == (Settled(place) if tells else Lost())


@pytest.mark.parametrize("transition", FENCED)
def test_an_empty_token_is_nobodys(rig: Rig, transition: str) -> None:
    # Given
    rig.uncertain()

    # When
    answer = rig.unchanged(FENCED[transition](rig, ""))

    # Then
    assert answer == Lost()
    assert rig.unchanged(rig.doubt()) == Ok()
