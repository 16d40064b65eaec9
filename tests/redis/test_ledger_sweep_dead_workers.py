from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.answers import Granted, Make, Nothing
from middleware.timing import HOUR_MS
from tests.redis.ledger_calls import OTHER, TOKEN

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


@pytest.mark.parametrize("state", ["sending", "uncertain"])
def test_what_may_have_been_posted_does_not_expire(rig: Rig, state: str) -> None:
    # Given
    rig.brought_to(state)
    rig.clock.advance(ms=2 * rig.timing.expires_after_ms)

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert isinstance(answer, Make)
    assert rig.record()["state"] == "uncertain"
    assert rig.told() == []


def test_a_dead_workers_claim_is_dispatched_again_and_its_attempt_is_used(rig: Rig) -> None:
    # Given
    rig.claimed(TOKEN)
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.run(rig.sweep())

    # Then
    written = rig.snapshot()
    assert isinstance(answer, Make)
    assert written.record["state"] == "waiting"
    assert written.record["attempts"] == "1"
    assert not written.record.keys() & {"token", "lease_until"}
    assert written.counts == {"waiting": 1}
    assert [entry.what for entry in written.history[-2:]] == ["lease over", "swept"]
    assert isinstance(rig.run(rig.claim(OTHER)), Granted)


def test_a_dead_workers_post_is_in_doubt_until_it_can_be_looked_for(rig: Rig) -> None:
    # Given
    rig.sending()
    reconcile_at_ms = int(rig.record()["reconcile_at"])
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    first = rig.twice(rig.sweep())
    rig.clock.now_ms = reconcile_at_ms
    then = rig.run(rig.sweep())

    # Then
    assert first == Nothing()
    assert isinstance(then, Make)
    assert rig.record()["state"] == "uncertain"
    assert "uncertain" in rig.noted()


def test_who_died_looking_is_followed_by_another(rig: Rig) -> None:
    # Given
    rig.looking()
    rig.clock.advance(ms=rig.timing.lease_ms)

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert isinstance(answer, Make)
    assert rig.record()["state"] == "uncertain"


def test_after_hours_without_a_sweeper_one_sweep_is_enough(rig: Rig) -> None:
    # Given
    rig.sending()
    rig.clock.advance(ms=HOUR_MS)

    # When
    answer = rig.run(rig.sweep())

    # Then
    assert isinstance(answer, Make)
    assert rig.record()["state"] == "uncertain"
