"""What a look in Slack's history proves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from actors.slack.sought import Place
from middleware.fates import Absent, CannotTell, Found, NotNow
from sandbox.slack import SlackSandbox
from sandbox.slack.faults import (
    Close,
    Empty,
    ErrorCode,
    GzipType,
    HalfReset,
    Html,
    JsonList,
    RateLimited,
    Redirect,
    ServerError,
)
from sandbox.slack.workspaces import DEFAULT_SCOPES
from tests.system.faulting_server import faulting_server
from tests.system.looking import HISTORY, REPLIES, Clock, calls, look_for, looking_at, post, sought
from tests.system.slack_faults import answering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from middleware.fates import LookAnswer
    from sandbox.slack.faults import Fault


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackSandbox]:
    with SlackSandbox(clock=clock.slack_s) as sandbox:
        yield sandbox


def named(fault: Fault) -> str:
    told = fault.model_dump(include={"name", "status", "code"})
    return "_".join(str(value) for value in told.values())


def receipt(ts: str) -> dict[str, str]:
    return {"channel": "C1", "ts": ts}


def test_a_message_with_the_marker_is_found(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    post(slack, "another")
    ts = post(slack)
    post(slack, None)

    # When
    (answer,) = look_for(slack, clock, [sought(clock)])

    # Then
    assert answer == Found(receipt(ts))
    assert calls(slack) == {"auth.test": 1, HISTORY: 1}


def test_without_it_the_message_is_absent_as_of_the_beginning_of_the_read(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    post(slack, "another")
    post(slack, place=Place("T1", "C2"))

    # When
    (answer,) = look_for(slack, clock, [sought(clock)])

    # Then
    assert answer == Absent(read_begun_ms=clock.now_ms)


def test_of_several_the_earliest_counts_and_the_others_are_told(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    stamps = [post(slack) for _ in range(3)]
    slack.change(history_page_max=1)

    # When
    (answer,) = look_for(slack, clock, [sought(clock)])

    # Then
    assert answer == Found(receipt(stamps[0]), (receipt(stamps[1]), receipt(stamps[2])))


def test_a_reply_is_found_in_its_thread_and_nowhere_else(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    parent_ts = post(slack, "parent")
    clock.now_ms += 3_600_000
    thread = Place("T1", "C1", parent_ts)
    ts = post(slack, place=thread)

    # When
    in_thread, in_channel = look_for(slack, clock, [sought(clock, thread)], [sought(clock)])

    # Then
    assert in_thread == Found(receipt(ts))
    assert in_channel == Absent(clock.now_ms)
    assert calls(slack) == {"auth.test": 1, HISTORY: 1, REPLIES: 1}


def test_a_reply_that_is_not_in_its_thread_is_absent(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    thread = Place("T1", "C1", post(slack, "parent"))
    post(slack)

    # When
    answers = look_for(slack, clock, [sought(clock, thread)])

    # Then
    assert answers == [Absent(clock.now_ms)]


def below_a_reply(slack: SlackSandbox) -> Place:
    reply_ts = post(slack, "reply", place=Place("T1", "C1", post(slack, "parent")))
    return Place("T1", "C1", reply_ts)


def test_a_reply_to_a_reply_is_found_in_the_thread_of_both(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    slack.change(reply_to_reply="in_thread")
    below = below_a_reply(slack)
    ts = post(slack, place=below)

    # When
    answers = look_for(slack, clock, [sought(clock, below)])

    # Then
    assert answers == [Found(receipt(ts))]


@pytest.mark.parametrize(
    ("where", "marker"),
    [
        pytest.param("in_channel", "m1", id="in_the_channel"),
        pytest.param("in_channel", "not posted", id="nowhere"),
        pytest.param("in_thread", "not posted", id="nowhere_where_slack_would_show_it"),
    ],
)
def test_a_reply_to_a_reply_that_is_not_in_their_thread_may_be_elsewhere(
    slack: SlackSandbox, clock: Clock, where: str, marker: str
) -> None:
    # Given
    slack.change(reply_to_reply=where)
    below = below_a_reply(slack)
    post(slack, place=below)

    # When
    answers = look_for(slack, clock, [sought(clock, below, marker=marker)])

    # Then
    assert answers == [CannotTell("thread_of_a_reply", final=True)]


@pytest.mark.parametrize("page_max", [1, 3, 999])
def test_every_page_is_read(slack: SlackSandbox, clock: Clock, page_max: int) -> None:
    # Given
    ts = post(slack)
    for number in range(7):
        post(slack, f"later-{number}")
    slack.change(history_page_max=page_max)

    # When
    found, absent = look_for(slack, clock, [sought(clock)], [sought(clock, marker="not posted")])

    # Then
    assert found == Found(receipt(ts))
    assert absent == Absent(clock.now_ms)
    assert calls(slack)[HISTORY] == -(-8 // page_max)


def test_every_page_of_a_thread_is_read(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    thread = Place("T1", "C1", post(slack, "parent"))
    for number in range(7):
        post(slack, f"earlier-{number}", place=thread)
    ts = post(slack, place=thread)
    slack.change(history_page_max=2)

    # When
    answers = look_for(slack, clock, [sought(clock, thread)])

    # Then
    assert answers == [Found(receipt(ts))]


def test_what_was_posted_before_the_intent_is_not_read(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    slack.change(history_page_max=1)
    for number in range(5):
        post(slack, f"long-ago-{number}")
    clock.now_ms += 3_600_000

    # When
    answers = look_for(slack, clock, [sought(clock)])

    # Then
    assert answers == [Absent(clock.now_ms)]
    assert calls(slack)[HISTORY] == 1


def test_the_marker_on_a_message_of_another_bot_proves_nothing(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    slack.declare_token("xoxb-stranger", team="T1", bot_id="B999")
    post(slack, token="xoxb-stranger")

    # When
    answers = look_for(slack, clock, [sought(clock)])

    # Then
    assert answers == [CannotTell("marker_of_another_bot", final=True)]


def test_a_copy_by_another_bot_does_not_hide_the_message(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    slack.declare_token("xoxb-stranger", team="T1", bot_id="B999")
    post(slack, token="xoxb-stranger")
    ts = post(slack)

    # When
    answers = look_for(slack, clock, [sought(clock)])

    # Then
    assert answers == [Found(receipt(ts))]


def test_what_slack_shows_late_is_found_by_a_later_look(slack: SlackSandbox, clock: Clock) -> None:
    # Given
    slack.change(history_lag_ms=60_000)
    ts = post(slack)
    clock.now_ms += 60_000

    # When
    answers = look_for(slack, clock, [sought(clock)])

    # Then
    assert answers == [Found(receipt(ts))]


@pytest.mark.parametrize("ahead_ms", [-3_600_000, -600_000, -240_000, 240_000, 3_600_000])
def test_a_message_is_found_however_far_slacks_clock_is_off(
    slack: SlackSandbox, clock: Clock, ahead_ms: int
) -> None:
    # Given
    clock.slack_ahead_ms = ahead_ms
    ts = post(slack)
    clock.now_ms += 70_000

    # When
    answers = look_for(slack, clock, [sought(clock)])

    # Then
    assert answers == [Found(receipt(ts))]


def test_a_window_that_turns_out_too_narrow_is_read_again_once(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    clock.slack_ahead_ms = -3_600_000

    # When
    first, later = look_for(slack, clock, [sought(clock)], [sought(clock, Place("T1", "C2"))])

    # Then
    assert first == later == Absent(clock.now_ms)
    assert calls(slack) == {"auth.test": 1, HISTORY: 3}


@pytest.mark.parametrize("method", [HISTORY, "auth.test"])
@pytest.mark.parametrize(
    "fault",
    [
        Close(),
        HalfReset(),
        Html(),
        Html(status=500),
        Empty(),
        JsonList(),
        GzipType(),
        ServerError(),
        Redirect(),
        ErrorCode(code="internal_error"),
        ErrorCode(code="fatal_error"),
        ErrorCode(code="service_unavailable"),
        ErrorCode(code="request_timeout"),
    ],
    ids=named,
)
def test_a_read_that_fails_is_no_look(
    slack: SlackSandbox, clock: Clock, fault: Fault, method: str
) -> None:
    # Given
    slack.fault(fault.model_copy(update={"method": method}))

    # When
    failed, made = look_for(slack, clock, [sought(clock)], [sought(clock)])

    # Then
    assert isinstance(failed, NotNow)
    assert failed.delay_ms is None
    assert made == Absent(clock.now_ms)


def test_slack_that_cannot_be_reached_is_no_look(slack: SlackSandbox, clock: Clock) -> None:
    # When
    with slack.refusing():
        answers = look_for(slack, clock, [sought(clock)])

    # Then
    assert answers == [NotNow("connect_failed")]


@pytest.mark.parametrize(
    "fault",
    [Close(), ServerError(), ErrorCode(code="internal_error"), RateLimited(), Html(), JsonList()],
    ids=named,
)
def test_a_later_page_that_fails_proves_no_absence(
    slack: SlackSandbox, clock: Clock, fault: Fault
) -> None:
    # Given
    ts = post(slack)
    for number in range(3):
        post(slack, f"later-{number}")
    slack.change(history_page_max=2)
    slack.fault(fault.model_copy(update={"method": HISTORY, "skip": 1}))

    # When
    (answer,) = look_for(slack, clock, [sought(clock)])

    # Then
    assert isinstance(answer, NotNow)
    assert calls(slack)[HISTORY] == 2
    assert slack.posts[0].ts == ts


@pytest.mark.parametrize(
    "code",
    [
        "channel_not_found",
        "not_in_channel",
        "no_permission",
        "access_denied",
        "method_not_supported_for_channel_type",
        "missing_scope",
        "not_allowed_token_type",
    ],
)
def test_what_can_never_be_read_can_never_be_told(
    slack: SlackSandbox, clock: Clock, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    slack.fault(ErrorCode(code=code, method=HISTORY))

    # When
    (answer,) = look_for(slack, clock, [sought(clock)])

    # Then
    assert isinstance(answer, CannotTell)
    assert (answer.reason, answer.final) == (code, True)
    assert f"team=T1 method={HISTORY} code={code}" in caplog.text


def test_where_the_bot_may_post_and_is_no_member_nothing_can_be_told(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    slack.declare_team("T1", scopes=(*DEFAULT_SCOPES, "chat:write.public"))
    slack.declare_channel("T1", "C1", member=False)
    post(slack)

    # When
    answers = look_for(slack, clock, [sought(clock)])

    # Then
    assert answers == [CannotTell("not_in_channel", final=True)]


def test_a_missing_scope_is_named(
    slack: SlackSandbox, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    slack.change(history_readable=False)

    # When
    look_for(slack, clock, [sought(clock)])

    # Then
    assert "needed=channels:history" in caplog.text


def test_a_thread_that_is_gone_can_never_be_told(slack: SlackSandbox, clock: Clock) -> None:
    # When
    answers = look_for(slack, clock, [sought(clock, Place("T1", "C1", "1700000000.000100"))])

    # Then
    assert answers == [CannotTell("thread_not_found", final=True)]


def test_a_conversation_with_a_person_is_not_read_by_the_persons_id(
    slack: SlackSandbox, clock: Clock
) -> None:
    # Given
    person = Place("T1", "U0123")
    post(slack, place=person)

    # When
    answers = look_for(slack, clock, [sought(clock, person)])

    # Then
    assert answers == [CannotTell("channel_not_found", final=True)]


def test_a_window_that_the_plan_cuts_proves_no_absence(
    slack: SlackSandbox, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    ts = post(slack)
    slack.change(history_limited=True)

    # When
    found, absent = look_for(slack, clock, [sought(clock)], [sought(clock, marker="not posted")])

    # Then
    assert found == Found(receipt(ts))
    assert absent == CannotTell("window_cut", final=True)
    assert "why=window_cut" in caplog.text


@pytest.mark.parametrize(
    "code",
    [
        "invalid_auth",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "team_access_not_granted",
        "invalid_arguments",
        "brand_new_code",
    ],
)
def test_what_a_person_may_mend_is_a_look_that_cannot_tell_yet(
    slack: SlackSandbox, clock: Clock, code: str
) -> None:
    # Given
    slack.fault(ErrorCode(code=code, method=HISTORY))

    # When
    first, later = look_for(slack, clock, [sought(clock)], [sought(clock)])

    # Then
    assert isinstance(first, CannotTell)
    assert (first.reason, first.final) == (code, False)
    assert later == Absent(clock.now_ms)


def test_a_refused_token_is_looked_up_again_by_the_next_look(
    slack: SlackSandbox, clock: Clock
) -> None:
    environ = {"SLACK_BOT_TOKEN": "xoxb-old"}

    async def scenario() -> list[LookAnswer]:
        async with looking_at(slack.url, clock, environ=environ) as gateway:
            # Given a token that Slack refuses
            before = await gateway.look(sought(clock), within_s=10)

            # When it was refreshed meanwhile
            environ["SLACK_BOT_TOKEN"] = "xoxb-new"
            return [before, await gateway.look(sought(clock), within_s=10)]

    slack.change(strict=True)
    slack.declare_channel("T1", "C1")
    slack.declare_token("xoxb-new", team="T1")
    before, after = asyncio.run(scenario())

    # Then
    assert before == CannotTell("invalid_auth", final=False, delay_ms=60_000)
    assert after == Absent(clock.now_ms)


def test_a_token_that_is_no_bots_cannot_tell_its_messages(clock: Clock) -> None:
    async def scenario() -> LookAnswer:
        answer = answering({"ok": True, "team_id": "T1", "team": "Acme"})
        async with (
            faulting_server(answer) as server,
            looking_at(server.url, clock) as gateway,
        ):
            # When
            return await gateway.look(sought(clock), within_s=10)

    # Then
    assert asyncio.run(scenario()) == CannotTell("not_a_bot", final=False, delay_ms=60_000)


def test_without_an_installation_nothing_can_be_told_until_there_is_one(
    slack: SlackSandbox, clock: Clock
) -> None:
    # When
    answers = look_for(slack, clock, [sought(clock)], environ={})

    # Then
    assert answers == [CannotTell("installation_missing", final=False, delay_ms=60_000)]
    assert calls(slack) == {}
