from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Enqueue, First, Make, Nothing, Ok, Settled
from middleware.ledger import LONGEST_WINDOW_MS
from middleware.timing import HOUR_MS, MINUTE_MS
from tests.redis.ledger_view import OPEN, TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


def due_ms(rig: Rig) -> int:
    return int(rig.snapshot().due["r1"])


@pytest.mark.parametrize("place", ["none", *TERMINAL])
def test_there_is_nothing_to_do_for_what_is_unknown_or_has_ended(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)

    # When
    answer = rig.unchanged(rig.sweep())

    # Then
    assert answer == Nothing()


@pytest.mark.parametrize("place", [*OPEN, "looking"])
def test_there_is_nothing_to_do_before_it_is_due(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)
    rig.clock.now_ms = due_ms(rig) - 1

    # When
    answer = rig.unchanged(rig.sweep())

    # Then
    assert answer == Nothing()


def test_a_message_is_made_where_none_was_ever_kept(rig: Rig) -> None:
    # Given
    rig.accepted(thread_ts="17.1")
    rig.clock.advance(ms=rig.timing.dispatch_window_ms)

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert answer == Make("send_message", "slack", "17.1")
    assert rig.noted()[-1] == "swept"


def test_the_message_that_was_kept_is_enqueued_again_and_passes(rig: Rig) -> None:
    # Given
    rig.accepted()
    rig.run(rig.dispatch("m1"))
    rig.clock.advance(ms=rig.timing.dispatch_window_ms)

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert answer == Enqueue("encoded m1")
    assert rig.unchanged(rig.dispatch("m1")) == First()


@pytest.mark.parametrize("place", ["waiting", "claimed", "uncertain", "looking"])
def test_of_several_sweepers_one_enqueues_it(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)
    rig.clock.now_ms = due_ms(rig)
    assert isinstance(rig.run(rig.sweep()), Make)

    # When
    answer = rig.unchanged(rig.sweep())

    # Then
    assert answer == Nothing()


def test_a_backlog_is_swept_less_and_less_often(rig: Rig) -> None:
    # Given
    rig.accepted(expires_at_ms=rig.clock.now_ms + 20 * HOUR_MS)
    windows_ms = []

    # When
    for _ in range(9):
        rig.clock.now_ms = due_ms(rig)
        rig.run(rig.sweep())
        windows_ms.append(due_ms(rig) - rig.clock.now_ms)

    # Then
    doubled = [MINUTE_MS * 2**times for times in range(6)]
    assert windows_ms == [*doubled, *[LONGEST_WINDOW_MS] * 3]


@pytest.mark.parametrize("place", ["waiting", "uncertain"])
def test_once_claimed_it_is_missed_after_the_first_window_again(rig: Rig, place: str) -> None:
    # Given
    rig.brought_to(place)
    for _ in range(6):
        rig.clock.now_ms = due_ms(rig)
        rig.run(rig.sweep())
    rig.run(rig.claim())
    wait = rig.postpone() if place == "waiting" else rig.look_later()
    assert rig.run(wait) == Ok()
    rig.clock.now_ms = due_ms(rig)

    # When
    rig.run(rig.sweep())

    # Then
    assert due_ms(rig) == rig.clock.now_ms + rig.timing.dispatch_window_ms


def test_it_is_not_swept_later_than_its_time_runs_out(rig: Rig) -> None:
    # Given
    expires_at_ms = rig.clock.now_ms + rig.timing.dispatch_window_ms + 1
    rig.accepted(expires_at_ms=expires_at_ms)
    rig.clock.advance(ms=rig.timing.dispatch_window_ms)

    # When
    rig.run(rig.sweep())

    # Then
    assert due_ms(rig) == expires_at_ms


def test_what_was_delayed_is_swept_at_its_time(rig: Rig) -> None:
    # Given
    rig.accepted(not_before_ms=rig.clock.now_ms + HOUR_MS)
    rig.clock.advance(ms=HOUR_MS)

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert isinstance(answer, Make)
    assert rig.snapshot().counts == {"waiting": 1}


def test_what_was_postponed_is_swept_at_its_time(rig: Rig) -> None:
    # Given
    rig.claimed()
    rig.run(rig.postpone(delay_ms=5_000))
    rig.clock.advance(ms=5_000)

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert isinstance(answer, Make)
    assert rig.snapshot().counts == {"waiting": 1}


@pytest.mark.parametrize("state", ["waiting", "claimed"])
def test_what_has_run_out_of_time_expires(rig: Rig, state: str) -> None:
    # Given
    expires_at_ms = rig.clock.now_ms + 1_000
    rig.accepted(expires_at_ms=expires_at_ms)
    if state == "claimed":
        rig.run(rig.claim())
    rig.clock.now_ms = due_ms(rig)

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert rig.clock.now_ms == expires_at_ms
    assert answer == Settled("expired")
    assert rig.told() == ["expired"]
    assert rig.unchanged(rig.sweep()) == Nothing()


def test_a_look_that_was_put_off_is_swept_at_its_time(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.run(rig.look_later(delay_ms=MINUTE_MS))
    rig.clock.advance(ms=MINUTE_MS)

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert isinstance(answer, Make)
    assert due_ms(rig) > rig.clock.now_ms
