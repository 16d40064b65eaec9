from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from actors.slack.bot_tokens import BotToken
from actors.slack.history_read import WIDENED_MS
from actors.slack.history_reader import Ended, HistoryReader
from actors.slack.kept_reads import KeptReads
from actors.slack.reading_calls import ReadingCalls, Said
from actors.slack.sought import Look, Place, Sought
from middleware.fates import Absent, CannotTell, Found, NotNow

if TYPE_CHECKING:
    from collections.abc import Iterable

CHANNEL, THREAD = Place("T1", "C1"), Place("T1", "C1", "1700000000.000100")
INTENT_MS, NOW_MS = 1_700_000_000_123, 1_700_000_070_000
LIMITED = NotNow("rate_limited", 60_000)


class Calls(ReadingCalls):
    """Answers with what is given, one after the other, and notes what was asked."""

    def __init__(self, answers: Iterable[Said | CannotTell | NotNow]) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._answers = list(answers)

    async def token(self, team_id: str) -> BotToken:
        return BotToken(team_id, "xoxb-1")

    async def bot_id(self, token: BotToken) -> str:
        return "B1"

    def put_off(self, method: str, team_id: str) -> None:
        return None

    async def ask(
        self, method: str, token: BotToken, arguments: dict[str, str]
    ) -> Said | CannotTell | NotNow:
        self.asked.append((method, arguments))
        return self._answers.pop(0)


class Rig:
    def __init__(self, *answers: Said | CannotTell | NotNow, most: int = 100) -> None:
        self.calls = Calls(answers)
        self.now_s = 0.0
        self._reader = HistoryReader(self.calls, KeptReads(most=most), clock_s=lambda: self.now_s)

    def read(self, *looks: Sought, since_s: float = 0.0) -> Ended:
        made = [Look(each, since_s) for each in looks]
        return asyncio.run(self._reader.read(looks[0].place, made))

    def known(self, look: Look) -> Found | Absent | CannotTell | NotNow | None:
        return self._reader.known(look)


def sought(place: Place = CHANNEL, **changes: Any) -> Sought:  # noqa: ANN401 - its fields
    times = {"intent_at_ms": INTENT_MS, "reconcile_at_ms": NOW_MS, "now_ms": NOW_MS}
    return Sought(**{"place": place, "marker": "m1", **times, **changes})


def said(
    *messages: dict[str, Any], cursor: str = "", at_ms: int | None = NOW_MS, **others: object
) -> Said:
    metadata = {"next_cursor": cursor}
    return Said({"messages": list(messages), "response_metadata": metadata, **others}, at_ms)


def message(ts: str = "1700000001.000100", marker: str = "m1", **others: object) -> dict[str, Any]:
    metadata = {"event_type": "postonce", "event_payload": {"delivery": marker}}
    return {"ts": ts, "bot_id": "B1", "metadata": metadata, **others}


def test_a_channel_is_asked_for_what_came_after_the_earliest_intent() -> None:
    # Given
    rig = Rig(said(cursor="x"), said())

    # When
    ended = rig.read(sought(), sought(marker="m2", intent_at_ms=INTENT_MS - 1_000))

    # Then
    oldest = {"oldest": f"{(INTENT_MS - 1_000 - WIDENED_MS) // 1_000}.123000"}
    asked = {"channel": "C1", "include_all_metadata": "1", "limit": "200", **oldest}
    assert ended.answer(Look(sought(), 0.0)) == Absent(NOW_MS)
    assert rig.calls.asked == [
        ("conversations.history", asked),
        ("conversations.history", {**asked, "cursor": "x"}),
    ]


def test_a_thread_is_asked_for_by_its_parent() -> None:
    # Given
    rig = Rig(said(message(THREAD.thread_ts or "", "parent")))

    # When
    ended = rig.read(sought(THREAD))

    # Then
    assert ended.answer(Look(sought(THREAD), 0.0)) == Absent(NOW_MS)
    ((method, asked),) = rig.calls.asked
    assert (method, asked["ts"]) == ("conversations.replies", THREAD.thread_ts)


def test_a_read_begins_when_the_last_of_those_who_wait_had_come() -> None:
    # Given
    rig = Rig(said())

    # When
    ended = rig.read(sought(), sought(marker="m2", now_ms=NOW_MS + 5))

    # Then
    assert ended.read.begun_ms == NOW_MS + 5


PARENT_TS = "1600000000.000100"
REPLY_TS = THREAD.thread_ts or ""
PARENT = message(PARENT_TS, "parent", thread_ts=PARENT_TS)
REPLY = message(REPLY_TS, "reply", thread_ts=PARENT_TS)
OF_A_REPLY = CannotTell("thread_of_a_reply", final=True)


def threads_asked(rig: Rig) -> list[str]:
    return [asked["ts"] for _, asked in rig.calls.asked]


@pytest.mark.parametrize(
    ("of_the_reply", "of_its_parent"),
    [
        pytest.param([REPLY], [PARENT, REPLY, message(thread_ts=PARENT_TS)], id="of_the_parent"),
        pytest.param([REPLY, message(thread_ts=REPLY_TS)], [PARENT, REPLY], id="of_the_reply"),
    ],
)
def test_a_reply_to_a_reply_is_found_in_the_thread_of_either(
    of_the_reply: list[dict[str, Any]], of_its_parent: list[dict[str, Any]]
) -> None:
    # Given
    rig = Rig(said(*of_the_reply), said(*of_its_parent))

    # When
    ended = rig.read(sought(THREAD))

    # Then
    assert isinstance(ended.answer(Look(sought(THREAD), 0.0)), Found)
    assert threads_asked(rig) == [REPLY_TS, PARENT_TS]


def test_a_reply_to_a_reply_that_is_in_neither_thread_may_be_elsewhere() -> None:
    # Given
    rig = Rig(said(REPLY), said(PARENT, REPLY))

    # When
    ended = rig.read(sought(THREAD))

    # Then
    assert ended.answer(Look(sought(THREAD), 0.0)) == OF_A_REPLY
    assert rig.known(Look(sought(THREAD), 0.0)) is None


def test_a_read_that_is_left_between_the_threads_goes_on_with_the_parents() -> None:
    # Given
    rig = Rig(said(REPLY), LIMITED, said(PARENT, REPLY))
    rig.read(sought(THREAD))

    # When
    ended = rig.read(sought(THREAD))

    # Then
    assert ended.answer(Look(sought(THREAD), 0.0)) == OF_A_REPLY
    assert threads_asked(rig) == [REPLY_TS, PARENT_TS, PARENT_TS]


def test_a_thread_of_which_nobody_tells_whose_it_is_proves_nothing() -> None:
    # Given
    rig = Rig(said())

    # When
    ended = rig.read(sought(THREAD))

    # Then
    assert ended.answer(Look(sought(THREAD), 0.0)) == CannotTell("thread_not_clear", final=False)
    assert rig.known(Look(sought(THREAD), 0.0)) is None


def test_the_same_place_to_go_on_again_is_no_answer() -> None:
    # Given
    rig = Rig(said(cursor="x"), said(cursor="x"))

    # When
    ended = rig.read(sought())

    # Then
    assert ended.answer(Look(sought(), 0.0)) == CannotTell("answer_not_understood", final=False)


def test_without_the_time_by_slacks_clock_nothing_is_absent() -> None:
    # Given
    rig = Rig(said(at_ms=None), said())

    # When
    unknown, known = rig.read(sought()), rig.read(sought())

    # Then
    assert unknown.answer(Look(sought(), 0.0)) == CannotTell("slack_clock_unknown", final=False)
    assert known.answer(Look(sought(), 0.0)) == Absent(NOW_MS)


def test_the_server_is_taken_to_be_as_far_on_as_time_has_passed() -> None:
    # Given
    rig = Rig(said(at_ms=NOW_MS))

    # When
    ended = rig.read(sought(), since_s=-90.0)

    # Then
    assert ended.read.behind_ms == 90_000


def test_a_history_too_long_to_remember_can_never_be_told() -> None:
    # Given
    messages = [message(f"1700000001.{number:06d}", f"m-{number}") for number in range(10)]
    rig = Rig(said(*messages, cursor="x"), most=10)

    # When
    ended = rig.read(sought())

    # Then
    assert ended.answer(Look(sought(), 0.0)) == CannotTell("history_too_long", final=True)


@pytest.mark.parametrize(("left_for_s", "cursor"), [(7_199, "x"), (7_200, None)])
def test_a_read_left_for_long_is_begun_anew(left_for_s: int, cursor: str | None) -> None:
    # Given
    rig = Rig(said(cursor="x"), LIMITED, said())
    rig.read(sought())

    # When
    rig.now_s += left_for_s
    rig.read(sought())

    # Then
    assert rig.calls.asked[-1][1].get("cursor") == cursor


NO_PLACE_TO_GO_ON = [
    pytest.param(Said({"messages": None, "has_more": False}, NOW_MS), id="not_understood"),
    pytest.param(said(cursor="x"), id="the_same_place_again"),
    pytest.param(CannotTell("invalid_cursor", final=False), id="invalid_cursor"),
    pytest.param(CannotTell("invalid_arguments", final=False), id="another_refusal"),
]


@pytest.mark.parametrize("answer", NO_PLACE_TO_GO_ON)
def test_a_read_that_cannot_be_gone_on_with_is_begun_anew_at_once(
    answer: Said | CannotTell,
) -> None:
    # Given
    rig = Rig(said(cursor="x"), LIMITED, answer, said())
    rig.read(sought())

    # When
    ended = rig.read(sought())

    # Then
    assert ended.answer(Look(sought(), 0.0)) == Absent(NOW_MS)
    assert [asked.get("cursor") for _, asked in rig.calls.asked] == [None, "x", "x", None]


@pytest.mark.parametrize("answer", NO_PLACE_TO_GO_ON)
def test_it_is_gone_on_with_by_no_later_look_either(answer: Said | CannotTell) -> None:
    # Given
    rig = Rig(said(cursor="x"), LIMITED, answer, LIMITED, said())
    for _ in range(2):
        rig.read(sought())

    # When
    rig.read(sought())

    # Then
    assert rig.calls.asked[-1][1].get("cursor") is None


def test_an_answer_that_is_none_leaves_it_as_it_was() -> None:
    # Given
    rig = Rig(said(cursor="x"), LIMITED, NotNow("status_503"), said())
    for _ in range(2):
        rig.read(sought())

    # When
    rig.read(sought())

    # Then
    assert rig.calls.asked[-1][1]["cursor"] == "x"


def test_what_was_seen_before_it_could_be_read_no_more_is_found() -> None:
    # Given
    refused = CannotTell("not_in_channel", final=True)
    rig = Rig(said(message(), cursor="x"), LIMITED, refused)
    rig.read(sought(marker="m2"))

    # When
    ended = rig.read(sought(marker="m2"))

    # Then
    assert isinstance(ended.answer(Look(sought(), 0.0)), Found)
    assert ended.answer(Look(sought(marker="m2"), 0.0)) == refused
