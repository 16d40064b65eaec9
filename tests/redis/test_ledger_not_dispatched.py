from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Enqueue, Make, Ok
from middleware.timing import HOUR_MS
from tests.redis.ledger_view import OPEN, TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def due_ms(rig: Rig) -> int:
    return int(rig.snapshot().due["r1"])


def swept_often(rig: Rig, times: int = 5) -> None:
    for _ in range(times):
        rig.clock.now_ms = due_ms(rig)
        assert isinstance(rig.run(rig.sweep()), Make | Enqueue)


@pytest.mark.parametrize("place", ["waiting", "uncertain"])
def test_what_did_not_reach_the_queue_is_swept_again_after_the_first_window(
    rig: Rig, place: str
) -> None:
    # Given
    rig.brought_to(place)
    swept_often(rig)

    # When
    answer = rig.twice(rig.not_dispatched())

    # Then
    assert answer == Ok()
    assert due_ms(rig) == rig.clock.now_ms + rig.timing.dispatch_window_ms


def test_a_queue_that_stays_away_is_tried_once_a_window(rig: Rig) -> None:
    # Given
    rig.accepted()
    waits_ms = set()

    # When
    for _ in range(8):
        swept_often(rig, times=1)
        rig.run(rig.not_dispatched())
        waits_ms.add(due_ms(rig) - rig.clock.now_ms)

    # Then
    assert waits_ms == {rig.timing.dispatch_window_ms}


def test_told_late_it_puts_nothing_off(rig: Rig) -> None:
    # Given
    rig.accepted()
    swept_often(rig, times=1)
    rig.clock.advance(ms=HOUR_MS)
    was_due_ms = due_ms(rig)

    # When
    rig.twice(rig.not_dispatched())

    # Then
    assert due_ms(rig) == was_due_ms


def test_it_is_not_swept_later_than_its_time_runs_out(rig: Rig) -> None:
    # Given
    expires_at_ms = rig.clock.now_ms + rig.timing.dispatch_window_ms + 1
    rig.accepted(expires_at_ms=expires_at_ms)
    swept_often(rig, times=1)

    # When
    rig.run(rig.not_dispatched())

    # Then
    assert due_ms(rig) == expires_at_ms


@pytest.mark.parametrize("place", ["none", *OPEN, "looking", *TERMINAL])
def test_what_no_sweep_has_handed_out_stays_as_it_is(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)

    # When
    answer = rig.unchanged(rig.not_dispatched())

    # Then
    assert answer == Ok()


def test_what_was_claimed_all_the_same_stays_with_its_holder(rig: Rig) -> None:
    # Given
    rig.accepted()
    swept_often(rig)
    rig.run(rig.claim())

    # When
    answer = rig.unchanged(rig.not_dispatched())

    # Then
    assert answer == Ok()
    assert due_ms(rig) == rig.clock.now_ms + rig.timing.lease_ms
