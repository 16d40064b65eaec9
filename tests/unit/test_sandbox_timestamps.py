from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.slack.timestamps import micros_of, next_ts, ts_of


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_a_ts_reads_back_as_the_time_it_was_made_of(micros: int) -> None:
    # When
    ts = ts_of(micros)

    # Then
    assert micros_of(ts) == micros


@given(st.lists(st.floats(min_value=1e9, max_value=2e9), min_size=2, max_size=20))
def test_a_ts_is_greater_than_the_last_however_the_clock_jumps(clock_s: list[float]) -> None:
    # Given
    given_out: list[str] = []

    # When
    for now_s in clock_s:
        given_out.append(next_ts(now_s=now_s, last=given_out[-1] if given_out else None))

    # Then
    numbers = [micros_of(ts) for ts in given_out]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("ts", "micros"),
    [("0", 0), ("1700000000", 1_700_000_000_000_000), ("1.5", 1_500_000), ("1.000100", 1_000_100)],
)
def test_a_ts_may_leave_out_zeros(ts: str, micros: int) -> None:
    # When / Then
    assert micros_of(ts) == micros


@pytest.mark.parametrize("text", ["", "now", "-1", "1.", "1.0000001", "1e9", "1 "])
def test_what_is_no_ts_is_refused(text: str) -> None:
    # When / Then
    with pytest.raises(ValueError, match="not a ts"):
        micros_of(text)
