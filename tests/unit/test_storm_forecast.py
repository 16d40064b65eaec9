from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from middleware.timing import SECOND_MS
from tests.storm.forecast import TIMING, Storm, blows_of, requests_of, robberies_of
from tests.storm.lies import KNOWN_FATES, is_of_post, kind_of, lies_of

STORM = Storm(seconds=30, kills=8, faults=0.3, history_faults=0.15, seed=7, rate=10)


def test_the_same_seed_is_the_same_storm() -> None:
    # When
    first, second = (
        (requests_of(STORM), blows_of(STORM), robberies_of(STORM), list(lies_of(STORM)))
        for _ in range(2)
    )

    # Then
    assert first == second


def test_another_seed_is_another_storm() -> None:
    # Given
    other = replace(STORM, seed=8)

    # Then
    assert requests_of(STORM) != requests_of(other)
    assert blows_of(STORM) != blows_of(other)
    assert robberies_of(STORM) != robberies_of(other)
    assert list(lies_of(STORM)) != list(lies_of(other))


def test_more_kills_do_not_change_what_is_requested() -> None:
    # Given
    worse = replace(STORM, kills=80, faults=0.5)

    # Then
    assert requests_of(STORM) == requests_of(worse)
    assert len(blows_of(worse)) == 10 * len(blows_of(STORM))


def test_every_request_is_asked_for_several_times() -> None:
    # When
    asked, calls = requests_of(STORM)

    # Then
    times = Counter(call.id for call in calls if call.does == "request")
    assert set(times) == {each.id for each in asked}
    assert set(times.values()) == {2, 3}
    assert {call.does for call in calls} == {"request", "nudge", "cancel"}
    assert {call.is_reply for call in calls} == {True, False}
    assert all(0 <= call.at_s <= STORM.seconds + 1 for call in calls)


def test_some_of_each_kind_are_asked_for() -> None:
    # When
    asked, _ = requests_of(replace(STORM, seconds=5))

    # Then
    kinds = Counter(each.kind for each in asked)
    assert kinds == {"plain": 45, "later": 2, "expiring": 1, "doomed": 1, "cancelled": 1}


def test_each_victim_is_killed_and_paused_for_longer_and_for_shorter_than_a_lease() -> None:
    # When
    blows = blows_of(replace(STORM, kills=6))

    # Then
    struck = {(blow.does, blow.victim) for blow in blows}
    victims = ("worker", "projector", "valkey")
    assert struck == {(does, victim) for does in ("kill", "pause") for victim in victims}
    lease_s = TIMING.lease_ms / SECOND_MS
    assert {blow.seconds > lease_s for blow in blows if blow.does == "pause"} == {True, False}


@pytest.mark.parametrize("method", ["chat.postMessage", "conversations.history"])
def test_the_share_of_calls_that_is_struck_is_the_one_asked_for(method: str) -> None:
    # When
    lies = [lie for lie in lies_of(STORM) if lie.method == method]

    # Then
    left = 1.0
    for lie in lies:
        left *= 1 - lie.probability
    share = STORM.faults if method == "chat.postMessage" else STORM.history_faults
    assert 1 - left == pytest.approx(share)
    assert len({lie.seed for lie in lies}) == len(lies)


def test_slack_lies_in_every_way_that_there_is() -> None:
    # When
    kinds = {kind_of(lie) for lie in lies_of(STORM) if is_of_post(lie)}

    # Then
    unknown = {"cut", "garbage", "error code"}
    assert kinds - KNOWN_FATES == {
        *(f"{kind} {when}" for kind in unknown for when in ("before", "after")),
        "500 after",
        "503 before",
        "302",
        "307",
        "308",
    }
    assert kinds >= KNOWN_FATES


def test_a_storm_without_faults_does_not_lie() -> None:
    assert list(lies_of(replace(STORM, faults=0, history_faults=0))) == []
