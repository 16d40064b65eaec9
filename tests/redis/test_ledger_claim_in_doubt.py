from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Uncertain, Wait
from tests.redis.ledger_calls import MARKER, OTHER, TARGET, TOKEN

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


@pytest.mark.parametrize("token", [TOKEN, OTHER])
def test_while_a_post_is_on_its_way_nobody_gets_a_claim(rig: Rig, token: str) -> None:
    # Given
    rig.sending(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms - 1)

    # When
    answer = rig.unchanged(rig.claim(token), noted="held")

    # Then
    assert answer == Wait(rig.clock.now_ms + 1, "held")


@pytest.mark.parametrize("token", [TOKEN, OTHER])
def test_a_post_that_outlived_its_lease_is_in_doubt(rig: Rig, token: str) -> None:
    # Given
    rig.sending(TOKEN)
    reconcile_at_ms = int(rig.record()["reconcile_at"])
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.twice(rig.claim(token))

    # Then
    written = rig.snapshot()
    assert answer == Wait(reconcile_at_ms, "reconcile")
    assert written.record["state"] == "uncertain"
    assert written.due == {"r1": reconcile_at_ms}
    assert written.counts == {"uncertain": 1}
    assert not written.record.keys() & {"token", "lease_until"}
    assert written.outcomes == ()


def test_a_doubt_is_not_looked_into_too_early(rig: Rig) -> None:
    # Given
    rig.uncertain()
    reconcile_at_ms = int(rig.record()["reconcile_at"])
    rig.clock.now_ms = reconcile_at_ms - 1

    # When
    answer = rig.unchanged(rig.claim(OTHER))

    # Then
    assert answer == Wait(reconcile_at_ms, "reconcile")


def test_a_claim_on_a_doubt_says_where_and_from_when_to_look(rig: Rig) -> None:
    # Given
    rig.uncertain(thread_ts="17.1")
    intent_at_ms = int(rig.record()["intent_at"])
    rig.then_settled_down()

    # When
    answer = rig.twice(rig.claim(OTHER))

    # Then
    written, lease_until_ms = rig.snapshot(), rig.clock.now_ms + rig.timing.lease_ms
    assert answer == Uncertain(
        marker=MARKER,
        thread_ts="17.1",
        target=TARGET,
        intent_at_ms=intent_at_ms,
        reconcile_at_ms=rig.clock.now_ms,
        now_ms=rig.clock.now_ms,
        returns=0,
    )
    assert written.record["state"] == "uncertain"
    assert written.record["token"] == OTHER
    assert written.record["lease_until"] == str(lease_until_ms)
    assert written.record["attempts"] == "1"
    assert written.due == {"r1": lease_until_ms}
    assert written.history[-1].what == "looking"


def test_only_one_looks_at_a_time(rig: Rig) -> None:
    # Given
    rig.looking(TOKEN)

    # When
    answer = rig.unchanged(rig.claim(OTHER), noted="held")

    # Then
    assert answer == Wait(rig.clock.now_ms + rig.timing.lease_ms, "held")


def test_asked_again_later_a_claim_to_look_gains_no_time(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.clock.advance(ms=1_000)

    # When
    answer = rig.unchanged(rig.claim())

    # Then
    assert isinstance(answer, Uncertain)
    assert answer.now_ms == rig.clock.now_ms


def test_who_died_looking_makes_room_for_another_look(rig: Rig) -> None:
    # Given
    rig.looking(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.twice(rig.claim(OTHER))

    # Then
    assert isinstance(answer, Uncertain)
    assert rig.record()["token"] == OTHER
