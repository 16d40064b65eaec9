from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.storm.forecast import Asked
from tests.storm.judging import Verdict, judge
from tests.unit.forged_storm import OBSERVED, STORM, TROUBLE


def judged(*, storm: dict[str, Any] | None = None, **trouble: Any) -> Verdict:  # noqa: ANN401 - fields of Trouble
    """Of requests with which nothing is wrong."""
    return judge(
        replace(
            OBSERVED,
            storm=replace(STORM, **(storm or {})),
            trouble=replace(TROUBLE, **trouble),
        )
    )


def objection(verdict: Verdict) -> str:
    """The only thing that is wrong."""
    assert all(must_be in (None, number) for _, number, must_be in verdict.rows())
    assert not verdict.holds
    (found,) = verdict.objections
    return found


def test_a_storm_as_it_was_asked_for_holds() -> None:
    # Then
    assert judged().holds


@pytest.mark.parametrize("blow", ["kill worker", "kill projector", "kill valkey", "pause worker"])
def test_a_blow_that_was_not_struck_is_told(blow: str) -> None:
    # Given
    fewer = TROUBLE.blows - Counter({blow: 4})

    # Then
    assert objection(judged(storm={"kills": 6}, blows=fewer)).startswith(f"{blow}: 0, not ")


def test_where_no_kills_are_asked_for_none_is_missed() -> None:
    # Then
    assert judged(storm={"kills": 0}, blows=Counter({"rob queue": 1})).holds


def test_a_queue_that_lost_nothing_is_told() -> None:
    # Given
    blows = TROUBLE.blows - Counter({"rob messages": 1})

    # Then
    assert "no message was stolen" in objection(judged(blows=blows))


def test_a_slack_that_never_lied_is_told() -> None:
    # Given
    none = Counter({"cut after": 0, "429": 0})

    # Then
    assert "no POST was answered badly" in objection(judged(post_faults=none))
    assert judged(storm={"faults": 0.0}, post_faults=none).holds


def test_a_storm_in_which_hardly_anything_was_tried_is_told() -> None:
    # Given
    asked = [Asked(tenant="acme", id=f"{number}", kind="plain") for number in range(9)]
    observed = replace(OBSERVED, asked=[*OBSERVED.asked, *asked])

    # Then
    assert objection(judge(observed)) == "only 1 POSTs reached Slack in the storm, for 10 requests"
    assert judge(replace(observed, trouble=replace(TROUBLE, received=5))).holds


def test_an_unreadable_history_that_leaves_nothing_unproven_is_told() -> None:
    # Then
    told = objection(judged(storm={"readable": False}))
    assert told.startswith("nothing is unproven, though 1 POSTs were of unknown fate")


def test_without_a_post_of_unknown_fate_nothing_need_be_unproven() -> None:
    # Given
    sure = Counter({"429": 9, "slow": 9, "held back": 9, "cut before": 0})

    # Then
    assert judged(storm={"readable": False}, post_faults=sure).holds


def test_what_went_wrong_with_the_storm_itself_is_told() -> None:
    # Given
    notices = ["the services ended with 1: KeyError: 'ops'"]

    # Then
    assert objection(judged(notices=notices)) == notices[0]
