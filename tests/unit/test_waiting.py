from __future__ import annotations

import asyncio
from itertools import count

import pytest

from tests.waiting import wait_in_loop_until, wait_until


def test_waiting_returns_the_first_true_answer() -> None:
    # Given
    asked = count()

    # When
    answer = wait_until(lambda: next(asked) >= 2 and "here", description="the third asking")

    # Then
    assert answer == "here"
    assert next(asked) == 3


def test_waiting_in_vain_names_what_never_came() -> None:
    # Given
    description = "pigs fly"

    # When
    with pytest.raises(TimeoutError) as failure:
        wait_until(lambda: False, description=description, timeout_s=0.02)

    # Then
    assert description in str(failure.value)


def test_what_there_was_instead_is_asked_when_it_is_given_up() -> None:
    # Given
    asked = count()

    # When
    with pytest.raises(TimeoutError) as failure:
        wait_until(
            lambda: next(asked) == -1,
            description=lambda: "pigs fly; they stand" if next(asked) else "asked too early",
            timeout_s=0.02,
        )

    # Then
    assert str(failure.value).endswith(": pigs fly; they stand")


def test_what_comes_during_the_last_pause_is_still_seen() -> None:
    # Given
    asked = count()

    # When
    answer = wait_until(lambda: next(asked) == 1, description="the second asking", timeout_s=0.001)

    # Then
    assert answer


def test_waiting_in_a_loop_lets_the_loop_run() -> None:
    # Given
    async def wait_for_another_task() -> bool:
        arrived: list[str] = []
        asyncio.get_running_loop().call_soon(arrived.append, "here")
        return bool(await wait_in_loop_until(lambda: arrived, description="the callback runs"))

    # When
    came = asyncio.run(wait_for_another_task())

    # Then
    assert came
