from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from middleware.post_by import PostBy, boot_clock_s
from tests.waiting import wait_until


@given(ahead_s=st.floats(min_value=1, max_value=1e6))
def test_before_the_instant_it_has_not_passed_and_tells_what_remains(ahead_s: float) -> None:
    # Given
    post_by = PostBy(boot_clock_s() + ahead_s)

    # When
    remaining_s = post_by.remaining_s()

    # Then
    assert 0 < remaining_s <= ahead_s
    assert not post_by.passed()


@given(ago_s=st.floats(min_value=0, max_value=1e6))
def test_from_the_instant_on_it_has_passed(ago_s: float) -> None:
    # Given
    post_by = PostBy(boot_clock_s() - ago_s)

    # When
    passed = post_by.passed()

    # Then
    assert passed
    assert post_by.remaining_s() <= 0


def test_it_passes_by_itself() -> None:
    # Given
    post_by = PostBy(boot_clock_s() + 0.05)

    # When
    wait_until(post_by.passed, description="the instant passes", timeout_s=1.0)

    # Then
    assert boot_clock_s() >= post_by.deadline_s


def test_the_clock_counts_the_time_that_the_machine_was_suspended() -> None:
    # Given
    awake_s = time.monotonic()

    # When
    since_boot_s = boot_clock_s()

    # Then
    assert since_boot_s >= awake_s
