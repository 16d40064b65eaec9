from __future__ import annotations

import pytest

from actors.commands.times import age, moment, relative, span, time_of_day

AT_MS = 1_800_000_000_123


@pytest.mark.parametrize(
    ("length_ms", "said"),
    [
        (0, "0.000 s"),
        (17, "0.017 s"),
        (9_999, "9.999 s"),
        (12_300, "12.3 s"),
        (123_000, "2 min 3 s"),
        (120_000, "2 min"),
        (3_600_000, "1 h"),
        (3_601_000, "1 h"),
        (90_061_000, "1 d 1 h"),
        (-17, "0.017 s"),
    ],
)
def test_a_span_is_said_by_its_two_largest_units(length_ms: int, said: str) -> None:
    # Then
    assert span(length_ms) == said


@pytest.mark.parametrize(
    ("length_ms", "said"),
    [(0, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (7_300_000, "2 h"), (200_000_000, "2 d")],
)
def test_an_age_is_said_by_its_largest_unit(length_ms: int, said: str) -> None:
    # Then
    assert age(length_ms) == said


def test_a_time_is_said_in_utc() -> None:
    # Then
    assert moment(AT_MS) == "2027-01-15 08:00:00 UTC"
    assert time_of_day(AT_MS) == "08:00:00.123"


def test_past_and_future_are_told_apart() -> None:
    # Then
    assert relative(AT_MS, now_ms=AT_MS + 120_000) == "2 min ago"
    assert relative(AT_MS, now_ms=AT_MS - 120_000) == "in 2 min"
