from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.utc import utc_ms, utc_text


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9998, 1, 1)),  # noqa: DTZ001 - the zone comes next
    st.integers(min_value=-1439, max_value=1439),
)
def test_equal_times_are_equal_text_in_whatever_zone(moment: datetime, offset_min: int) -> None:
    # Given
    there = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))

    # When
    at_ms = utc_ms(there.isoformat())

    # Then
    assert at_ms == utc_ms(there.astimezone(UTC).isoformat())
    assert utc_ms(utc_text(at_ms)) == at_ms


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23t20:00:00z", 1_795_464_000_000),
        ("2026-11-23 21:00:00+01:00", 1_795_464_000_000),
        ("2026-11-23T20:00:00.1239999Z", 1_795_464_000_123),
        ("2026-11-23T20:00:00.5Z", 1_795_464_000_500),
    ],
)
def test_a_time_is_read_in_milliseconds(text: str, at_ms: int) -> None:
    # When / Then
    assert utc_ms(text) == at_ms


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a time"),
        ("tomorrow", "must be a time"),
        ("2026-11-23", "must be a time"),
        ("1795464000", "must be a time"),
        ("2026-11-23T20:00:00", "has no time zone"),
        ("2026-02-30T20:00:00Z", "is not a time that exists"),
        ("2026-11-23T24:01:00Z", "is not a time that exists"),
        ("2026-11-23T20:00:60Z", "is not a time that exists"),
        ("1969-12-31T23:59:59Z", "must be between"),
        ("9999-12-31T23:59:59-23:00", "must be between"),
        ("0001-01-01T00:00:00+23:59", "must be between"),
        ("２０２６-11-23T20:00:00Z", "must be a time"),  # noqa: RUF001 - digits, but not ASCII's
    ],
)
def test_what_is_no_time_is_refused_in_a_sentence(text: str, said: str) -> None:
    # When / Then
    with pytest.raises(ValueError, match=said):
        utc_ms(text)
