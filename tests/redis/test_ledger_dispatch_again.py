from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import (
    DispatchedBefore,
    Enqueue,
    First,
    Granted,
    Make,
    OtherThread,
    Settled,
    Uncertain,
)
from middleware.timing import MINUTE_MS
from tests.redis.ledger_calls import OTHER
from tests.redis.ledger_view import TERMINAL

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


@pytest.mark.parametrize("state", ["claimed", "sending", "uncertain"])
def test_another_message_is_refused_while_one_is_being_worked_on(rig: Rig, state: str) -> None:
    # Given
    rig.accepted()
    rig.run(rig.dispatch("m1"))
    rig.run(rig.claim())
    if state != "claimed":
        rig.run(rig.intend())
    if state == "uncertain":
        rig.run(rig.doubt())

    # When
    answer = rig.unchanged(rig.dispatch("m2"), noted="dispatch refused")

    # Then
    assert answer == DispatchedBefore("m1", in_progress=True)
    assert rig.unchanged(rig.dispatch("m1")) == First()


def test_a_doubt_that_is_old_enough_is_dispatched_to_be_looked_into(rig: Rig) -> None:
    # Given
    rig.uncertain()
    rig.then_settled_down()

    # When
    answer = rig.twice(rig.dispatch("m2"))

    # Then
    assert answer == First()
    assert rig.record()["state"] == "uncertain"


def test_of_all_who_nudge_an_old_doubt_one_passes_in_a_window(rig: Rig) -> None:
    # Given
    rig.uncertain()
    rig.then_settled_down()
    begun_ms = rig.clock.now_ms
    rig.run(rig.dispatch("m1"))

    # When
    within = rig.unchanged(rig.dispatch("m2"), noted="dispatch refused")
    due_ms = int(rig.record()["due"])
    rig.clock.now_ms = due_ms
    after = rig.twice(rig.dispatch("m3"))

    # Then
    assert within == DispatchedBefore("m1", in_progress=True)
    assert due_ms == begun_ms + rig.timing.dispatch_window_ms
    assert after == First()


@pytest.mark.parametrize("message_id", ["m1", None])
def test_what_the_sweeper_hands_out_to_look_passes(rig: Rig, message_id: str | None) -> None:
    # Given
    rig.accepted()
    if message_id is not None:
        rig.run(rig.dispatch(message_id))
    rig.run(rig.claim())
    rig.run(rig.intend())
    rig.run(rig.doubt())
    rig.then_settled_down()

    # When
    swept = rig.run(rig.sweep())

    # Then
    assert isinstance(swept, Enqueue if message_id else Make)
    assert rig.twice(rig.dispatch(message_id or "made")) == First()


def test_nobody_else_is_sent_to_look_while_one_looks(rig: Rig) -> None:
    # Given
    rig.looking()

    # When
    answer = rig.unchanged(rig.dispatch("m2"), noted="dispatch refused")

    # Then
    assert answer == DispatchedBefore("", in_progress=True)


def test_a_look_put_off_is_not_dispatched_before_its_time(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.run(rig.look_later(delay_ms=MINUTE_MS))
    rig.clock.advance(ms=MINUTE_MS - 1)

    # When
    before = rig.unchanged(rig.dispatch("m2"), noted="dispatch refused")
    rig.clock.advance(ms=1)
    then = rig.run(rig.dispatch("m2"))

    # Then
    assert before == DispatchedBefore("", in_progress=True)
    assert then == First()
    assert isinstance(rig.run(rig.claim(OTHER)), Uncertain)


@pytest.mark.parametrize("outcome", TERMINAL)
def test_what_has_ended_is_not_dispatched(rig: Rig, outcome: str) -> None:
    # Given
    rig.ended(outcome)

    # When
    answer = rig.unchanged(rig.dispatch("m2"))

    # Then
    assert answer == Settled(outcome)


def test_a_nudge_gives_a_waiting_delivery_its_thread(rig: Rig) -> None:
    # Given
    rig.accepted()

    # When
    answer = rig.twice(rig.dispatch("m1", thread_ts="17.1"))

    # Then
    granted = rig.run(rig.claim())
    assert answer == First()
    assert isinstance(granted, Granted)
    assert granted.thread_ts == "17.1"


@pytest.mark.parametrize("message_id", ["m1", "m2"])
def test_a_delivery_does_not_change_its_thread(rig: Rig, message_id: str) -> None:
    # Given
    rig.accepted()
    rig.run(rig.dispatch("m1", thread_ts="17.1"))

    # When
    answer = rig.unchanged(rig.dispatch(message_id, thread_ts="17.2"))

    # Then
    assert answer == OtherThread("17.1")


@pytest.mark.parametrize("state", ["claimed", "sending", "uncertain"])
def test_a_thread_comes_too_late_once_it_is_being_worked_on(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)

    # When
    answer = rig.unchanged(rig.dispatch("m2", thread_ts="17.1"))

    # Then
    assert answer == OtherThread("")
