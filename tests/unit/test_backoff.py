from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from middleware.backoff import delivery_delay_ms, look_delay_ms

RETURNS = st.integers(min_value=0, max_value=1_000_000)
ASKED_MS = st.none() | st.integers(min_value=0, max_value=3_600_000)


@given(returns=RETURNS)
def test_what_comes_back_waits_at_most_twice_as_long_each_time_and_five_minutes(
    returns: int,
) -> None:
    # Given
    ceiling_ms = min(1_000 * 2 ** min(returns, 20), 300_000)

    # When
    delay_ms = delivery_delay_ms(returns, None)

    # Then
    assert 100 <= delay_ms <= ceiling_ms


@given(returns=RETURNS, asked_ms=ASKED_MS)
def test_nobody_comes_back_earlier_than_the_provider_asks(
    returns: int, asked_ms: int | None
) -> None:
    # Given
    least_ms = asked_ms or 0

    # When
    delays_ms = delivery_delay_ms(returns, asked_ms), look_delay_ms(returns, asked_ms)

    # Then
    assert min(delays_ms) >= least_ms


@given(returns=RETURNS)
def test_a_look_is_put_off_from_a_quarter_of_a_minute_to_ten(returns: int) -> None:
    # Given
    doubled_ms = 15_000 * 2 ** min(returns, 20)

    # When
    delay_ms = look_delay_ms(returns, None)

    # Then
    assert delay_ms == min(doubled_ms, 600_000)


@given(returns=RETURNS, asked_ms=st.integers(min_value=3_600_000, max_value=10**18))
def test_a_look_is_never_put_off_for_more_than_an_hour(returns: int, asked_ms: int) -> None:
    # Given
    asks_for_ages = asked_ms

    # When
    delay_ms = look_delay_ms(returns, asks_for_ages)

    # Then
    assert delay_ms == 3_600_000
