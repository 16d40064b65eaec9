"""A look that kills its worker ends, as a request does that kills its worker (row 27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from middleware.answers import Reclaimed, Settled, Uncertain
from middleware.ledger import MOST_UNHEARD_LOOKS
from tests.redis.ledger_calls import TOKEN

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def look_in_vain(rig: Rig, times: int) -> None:
    """Who looked died, each time, and its lease ends."""
    for number in range(times):
        assert isinstance(rig.run(rig.claim(f"dead-{number}")), Uncertain)
        rig.clock.advance(ms=rig.timing.lease_ms)


def test_what_kills_whoever_looks_is_unproven_in_the_end(rig: Rig) -> None:
    # Given
    rig.uncertain()
    rig.then_settled_down()
    look_in_vain(rig, MOST_UNHEARD_LOOKS)

    # When
    answer = rig.twice(rig.claim())

    # Then
    written = rig.snapshot()
    assert answer == Settled("unproven"), "it goes on killing whoever looks"
    assert written.record["error"] == "poison"
    assert written.due == {}
    assert rig.told() == ["unproven"]


def test_a_claim_asked_again_counts_no_further_death(rig: Rig) -> None:
    # Given
    rig.uncertain()
    rig.then_settled_down()
    look_in_vain(rig, MOST_UNHEARD_LOOKS - 1)

    # When
    answer = rig.twice(rig.claim())

    # Then
    assert isinstance(answer, Uncertain)
    assert rig.record()["unheard_looks"] == str(MOST_UNHEARD_LOOKS - 1)


def test_who_asks_again_after_its_lease_has_not_died(rig: Rig) -> None:
    # Given
    rig.uncertain()
    rig.then_settled_down()

    # When
    for _ in range(MOST_UNHEARD_LOOKS + 1):
        assert isinstance(rig.run(rig.claim()), Uncertain)
        rig.clock.advance(ms=rig.timing.lease_ms)

    # Then
    assert rig.record()["unheard_looks"] == "0"


def test_a_look_that_tells_how_it_went_forgives_the_deaths_before_it(rig: Rig) -> None:
    # Given
    rig.uncertain()
    rig.then_settled_down()
    look_in_vain(rig, MOST_UNHEARD_LOOKS - 1)
    rig.run(rig.claim(TOKEN))
    rig.run(rig.look_later(delay_ms=0, completed=False))

    # When
    look_in_vain(rig, MOST_UNHEARD_LOOKS - 1)

    # Then
    assert rig.record()["state"] == "uncertain"


def test_a_proven_absence_begins_to_count_anew(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.run(rig.look_later(delay_ms=0, completed=True))
    look_in_vain(rig, 1)
    rig.run(rig.claim())

    # When
    answer = rig.twice(rig.absent())

    # Then
    assert isinstance(answer, Reclaimed)
    assert not rig.record().keys() & {"looks", "unheard_looks"}
