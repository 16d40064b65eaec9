from __future__ import annotations

from dataclasses import replace

import pytest

from actors.commands.doctor_checks import judge_dead_letters
from actors.commands.standing_checks import (
    judge_due,
    judge_projector,
    judge_unproven,
    judge_workers,
)
from projector.stats import Stats

WINDOW_MS = 60_000
NOTHING = Stats(
    waiting=0,
    delayed=0,
    claimed=0,
    sending=0,
    uncertain=0,
    unproven=0,
    rejected=0,
    oldest_due_age_s=0.0,
    projector_lag=0,
    oldest_unfolded_age_s=0.0,
)


def test_living_workers_are_good_and_counted() -> None:
    # When
    finding = judge_workers(2, replace(NOTHING, waiting=7))

    # Then
    assert finding.severity == "good"
    assert finding.found.endswith(": 2")


@pytest.mark.parametrize("state", ["waiting", "claimed", "sending", "uncertain"])
def test_no_worker_fails_where_something_waits_for_one(state: str) -> None:
    # When
    finding = judge_workers(0, replace(NOTHING, **{state: 3}))

    # Then
    assert finding.severity == "refused"
    assert "3 requests wait" in finding.found
    assert "dramatiq actors.app" in finding.remedy


def test_no_worker_is_a_warning_where_nothing_waits_for_one_yet() -> None:
    # When
    finding = judge_workers(0, replace(NOTHING, delayed=3))

    # Then
    assert finding.severity == "risky"
    assert "dramatiq actors.app" in finding.remedy


@pytest.mark.parametrize(
    ("held", "lag", "age_s", "waiting", "severity"),
    [
        (8, 0, 0.0, 0, "good"),
        # A burst is folded in no time.
        (8, 100_000, 2.0, 100_000, "good"),
        (8, 1, 61.0, 0, "risky"),
        # One of several has died, and its partitions are not taken over yet.
        (7, 0, 0.0, 0, "risky"),
        (7, 5, 90.0, 5, "risky"),
        (0, 0, 0.0, 5, "risky"),
        # All of it is configuration, or outcomes.
        (0, 1, 0.5, 0, "risky"),
        (0, 1, 0.5, 1, "refused"),
    ],
)
def test_a_projector_fails_where_it_is_missing_and_missed(
    held: int, lag: int, age_s: float, waiting: int, severity: str
) -> None:
    # Given
    counted = replace(NOTHING, projector_lag=lag, oldest_unfolded_age_s=age_s, waiting=waiting)

    # When
    finding = judge_projector(held, counted, partitions=8, window_ms=WINDOW_MS)

    # Then
    assert finding.severity == severity
    assert f"{held} of 8 partitions" in finding.found
    assert bool(finding.remedy) == (severity != "good")


@pytest.mark.parametrize(("age_s", "severity"), [(0.0, "good"), (60.0, "good"), (60.1, "risky")])
def test_what_is_due_for_longer_than_a_window_stands_still(age_s: float, severity: str) -> None:
    # When
    finding = judge_due(replace(NOTHING, oldest_due_age_s=age_s), window_ms=WINDOW_MS)

    # Then
    assert finding.severity == severity
    assert bool(finding.remedy) == (severity != "good")


def test_what_needs_a_person_is_counted_with_the_command_that_shows_it() -> None:
    # When
    unproven = judge_unproven(replace(NOTHING, unproven=2))
    dead_letters = judge_dead_letters(3)

    # Then
    assert (unproven.severity, dead_letters.severity) == ("risky", "risky")
    assert (unproven.found[0], "postonce list --status unproven" in unproven.remedy) == ("2", True)
    assert "3 messages" in dead_letters.found
    assert "postonce list" in dead_letters.remedy


def test_nothing_that_needs_a_person_is_good() -> None:
    # When
    findings = [judge_unproven(NOTHING), judge_dead_letters(0)]

    # Then
    assert [(each.severity, each.remedy) for each in findings] == [("good", "")] * 2
