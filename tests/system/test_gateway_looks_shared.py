"""Looks at one place share a read, and one that was interrupted is gone on with."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from actors.slack.sought import Place
from middleware.fates import Absent, CannotTell, Found, NotNow
from sandbox.slack import SlackSandbox
from sandbox.slack.faults import ErrorCode, RateLimited, Silence, Slow
from tests.system.looking import HISTORY, Clock, calls, look_for, looking_at, post, sought
from tests.system.slack_faults import SHORT_MS
from tests.waiting import wait_in_loop_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actors.slack.sought import Sought
    from middleware.fates import LookAnswer

TEN = [f"ten-{number}" for number in range(10)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackSandbox]:
    with SlackSandbox(clock=clock.slack_s) as sandbox:
        yield sandbox


def ten(clock: Clock) -> list[Sought]:
    """One after the other due by a second, and all of them due."""
    return [
        sought(clock, marker=marker, reconcile_at_ms=clock.now_ms - 1_000 * number)
        for number, marker in enumerate(TEN)
    ]


def kinds(answers: list[LookAnswer]) -> list[str]:
    return [type(answer).__name__ for answer in answers]


HALF_OF_TEN_ARE_THERE = ["Found", "Absent"] * 5


def post_half_of_ten(slack: SlackSandbox) -> None:
    for marker in TEN[::2]:
        post(slack, marker)


def test_ten_looks_at_once_read_the_channel_once(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    post_half_of_ten(slack)

    # When
    answers = look_for(slack, clock, ten(clock))

    # Then
    assert kinds(answers) == HALF_OF_TEN_ARE_THERE
    assert calls(slack) == {"auth.test": 1, HISTORY: 1}


def test_ten_looks_one_after_the_other_read_the_channel_once(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    post_half_of_ten(slack)

    # When
    answers = look_for(slack, clock, *([each] for each in ten(clock)))

    # Then
    assert kinds(answers) == HALF_OF_TEN_ARE_THERE
    assert calls(slack) == {"auth.test": 1, HISTORY: 1}


def test_a_read_that_began_before_a_post_could_no_longer_arrive_proves_nothing_of_it(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    earlier = sought(clock, marker="another")
    later = sought(
        clock,
        reconcile_at_ms=clock.now_ms + 5_000,
        now_ms=clock.now_ms + 5_000,
    )

    # When
    answers = look_for(slack, clock, [earlier], [later])

    # Then
    assert answers == [Absent(earlier.now_ms), Absent(later.now_ms)]
    assert calls(slack)[HISTORY] == 2


def test_a_find_is_valid_whenever_its_read_began(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    ts = post(slack)
    earlier = sought(clock, marker="another")
    later_ms = clock.now_ms + 5_000
    later = sought(clock, reconcile_at_ms=later_ms, now_ms=later_ms)

    # When
    answers = look_for(slack, clock, [earlier], [later])

    # Then
    assert answers[1] == Found({"channel": "C1", "ts": ts})
    assert calls(slack)[HISTORY] == 1


def test_a_read_whose_window_opens_too_late_is_not_used(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    ts = post(slack)
    clock.now_ms += 3_600_000
    recent = sought(clock, marker="another")
    old = sought(clock, intent_at_ms=clock.now_ms - 3_600_000)

    # When
    answers = look_for(slack, clock, [recent], [old])

    # Then
    assert answers == [Absent(clock.now_ms), Found({"channel": "C1", "ts": ts})]


def test_one_look_that_is_cancelled_does_not_break_the_others(
    slack: SlackSandbox, clock: Clock
) -> None:
    slack.fault(Slow(delay_ms=200, method=HISTORY))

    async def scenario() -> tuple[LookAnswer, bool]:
        async with looking_at(slack.url, clock) as gateway:
            # Given two looks that share a read
            first, second = (
                asyncio.create_task(gateway.look(each, within_s=10)) for each in ten(clock)[:2]
            )
            await wait_in_loop_until(lambda: HISTORY in calls(slack), description="it is read")

            # When the one that began it is interrupted
            first.cancel()
            with suppress(asyncio.CancelledError):
                await first
            return await second, first.cancelled()

    answer, was_cancelled = asyncio.run(scenario())

    # Then
    assert was_cancelled
    assert answer == Absent(clock.now_ms)
    assert calls(slack)[HISTORY] == 1


def test_a_read_ends_with_the_last_look_that_waits_for_it(
    slack: SlackSandbox, clock: Clock
) -> None:
    slack.fault(Silence(method=HISTORY))

    async def scenario() -> tuple[list[LookAnswer], int]:
        async with looking_at(slack.url, clock) as gateway:
            # When Slack never answers
            made = [gateway.look(each, within_s=SHORT_MS / 1_000) for each in ten(clock)]
            answers = await asyncio.gather(*made)
            # The other one is this scenario itself.
            return answers, len(asyncio.all_tasks()) - 1

    answers, left_running = asyncio.run(scenario())

    # Then
    assert set(answers) == {NotNow("history_not_read_in_time")}
    assert left_running == 0


def test_a_gateway_that_is_closed_leaves_no_read_behind(slack: SlackSandbox, clock: Clock) -> None:
    slack.fault(Silence(method=HISTORY))

    async def scenario() -> LookAnswer:
        async with looking_at(slack.url, clock) as gateway:
            # Given
            look = asyncio.create_task(gateway.look(sought(clock), within_s=10))
            await wait_in_loop_until(lambda: HISTORY in calls(slack), description="it is read")

            # When
            await gateway.close()
            return await look

    # Then
    assert asyncio.run(scenario()) == NotNow("gateway_closed")


@pytest.mark.parametrize(
    ("retry_after", "delay_ms"), [(7, 7_000), (None, 30_000), ("soon", 30_000)]
)
def test_after_a_429_nobody_asks_until_its_time_is_over(
    slack: SlackSandbox, clock: Clock, retry_after: int | str | None, delay_ms: int
) -> None:
    slack.fault(RateLimited(retry_after=retry_after, method=HISTORY))
    elsewhere = Place("T1", "C2")

    async def scenario() -> list[LookAnswer]:
        async with looking_at(slack.url, clock) as gateway:
            # Given
            limited = await gateway.look(sought(clock), within_s=10)

            # When
            clock.now_ms += delay_ms - 1
            refused = await gateway.look(sought(clock, elsewhere), within_s=10)
            clock.now_ms += 1
            return [limited, refused, await gateway.look(sought(clock, elsewhere), within_s=10)]

    answers = asyncio.run(scenario())

    # Then
    assert answers == [
        NotNow("rate_limited", delay_ms),
        NotNow("rate_limited", 1),
        Absent(clock.now_ms),
    ]
    assert calls(slack)[HISTORY] == 2


def test_another_team_and_another_method_are_not_put_off_with_it(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    parent_ts = post(slack, "parent")
    slack.fault(RateLimited(method=HISTORY))
    others = [sought(clock, Place("T1", "C1", parent_ts)), sought(clock, Place("T2", "C1"))]

    # When
    answers = look_for(slack, clock, [sought(clock)], others)

    # Then
    assert kinds(answers) == ["NotNow", "Absent", "Absent"]


def test_at_one_call_a_minute_a_read_goes_on_where_it_was_stopped(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    ts = post(slack)
    for number in range(5):
        post(slack, f"later-{number}")
    slack.change(history_page_max=2, history_per_minute=1)
    begun_ms = clock.now_ms
    looks = [sought(clock), sought(clock, marker="not posted")]

    async def scenario() -> list[list[LookAnswer]]:
        rounds: list[list[LookAnswer]] = []
        async with looking_at(slack.url, clock) as gateway:
            # When
            for _ in range(3):
                now = (replace(each, now_ms=clock.now_ms) for each in looks)
                made = (gateway.look(each, within_s=10) for each in now)
                rounds.append(await asyncio.gather(*made))
                clock.now_ms += 60_000
        return rounds

    first, second, third = asyncio.run(scenario())

    # Then
    limited = NotNow("rate_limited", 60_000)
    assert first == second == [limited, limited]
    assert third == [Found({"channel": "C1", "ts": ts}), Absent(begun_ms)]
    # Three pages, and two calls that were turned away.
    assert calls(slack)[HISTORY] == 5


def test_what_was_seen_before_a_read_was_stopped_is_found(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    post(slack, "earlier")
    ts = post(slack)
    slack.change(history_page_max=1)
    slack.fault(RateLimited(skip=1, method=HISTORY))

    # When
    answers = look_for(slack, clock, [sought(clock), sought(clock, marker="not posted")])

    # Then
    assert answers == [Found({"channel": "C1", "ts": ts}), NotNow("rate_limited", 1_000)]


def test_a_stopped_read_is_finished_before_another_begins(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    for number in range(3):
        post(slack, f"later-{number}")
    slack.change(history_page_max=2)
    slack.fault(ErrorCode(skip=1, method=HISTORY))
    begun_ms = clock.now_ms
    stopped = sought(clock)
    another = replace(stopped, marker="another", reconcile_at_ms=begun_ms + 1, now_ms=begun_ms + 1)

    # When
    answers = look_for(slack, clock, [stopped], [another], [stopped])

    # Then
    assert kinds(answers) == ["NotNow", "Absent", "Absent"]
    # Of the first read two (one failed) and its last, and two of the other.
    assert calls(slack)[HISTORY] == 5


def test_a_place_to_go_on_that_is_no_longer_valid_begins_anew(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    ts = post(slack)
    for number in range(3):
        post(slack, f"later-{number}")
    slack.change(history_page_max=2)
    # Each lets the first page through.
    faults = [ErrorCode(code=code) for code in ("internal_error", "invalid_cursor")]
    slack.fault(*(each.model_copy(update={"method": HISTORY, "skip": 1}) for each in faults))

    # When
    stopped, found = look_for(slack, clock, [sought(clock)], [sought(clock)])

    # Then
    assert stopped == NotNow("internal_error")
    assert found == Found({"channel": "C1", "ts": ts})


def test_a_cursor_that_is_never_valid_is_no_reason_to_read_for_ever(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    for number in range(3):
        post(slack, f"later-{number}")
    slack.change(history_page_max=2)
    slack.fault(ErrorCode(skip=1, code="invalid_cursor", method=HISTORY))

    # When
    answers = look_for(slack, clock, [sought(clock)])

    # Then
    assert answers == [CannotTell("invalid_cursor", final=False)]
    assert calls(slack)[HISTORY] == 2
