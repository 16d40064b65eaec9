from __future__ import annotations

from typing import Any

import pytest

from actors.slack.history_page import HistoryPage, Marked
from actors.slack.history_read import NARROWEST_MS, HistoryRead
from actors.slack.kept_reads import KeptReads
from actors.slack.sought import Look, Place, Sought
from middleware.fates import Absent, CannotTell, Found

CHANNEL = Place("T1", "C1")
INTENT_MS, SETTLED_MS = 1_000_000, 1_070_000


def read_of(*pages: HistoryPage, behind_ms: int | None = 0, **fields: Any) -> HistoryRead:  # noqa: ANN401 - its own
    """Begun as soon as it may be, with a window that is just wide enough."""
    read = HistoryRead(
        **{
            "place": CHANNEL,
            "thread_ts": None,
            "oldest_ms": INTENT_MS - NARROWEST_MS,
            "begun_ms": SETTLED_MS,
            "begun_s": 0.0,
            "gone_on_s": 0.0,
            **fields,
        }
    )
    for page in pages:
        read.take(page, bot_id="B1", behind_ms=behind_ms, now_s=1.0)
    return read


def page(
    *marked: Marked, cursor: str = "", is_cut: bool = False, parent_ts: str | None = None
) -> HistoryPage:
    return HistoryPage(marked, cursor, is_cut=is_cut, parent_ts=parent_ts)


def look(*, since_s: float = 0.0, **changes: Any) -> Look:  # noqa: ANN401 - fields of Sought
    times = {"intent_at_ms": INTENT_MS, "reconcile_at_ms": SETTLED_MS, "now_ms": SETTLED_MS}
    return Look(Sought(**{"place": CHANNEL, "marker": "m1", **times, **changes}), since_s)


OWN = Marked("1.000100", "B1", "m1")
REPLY = Place("T1", "C1", "1.1")


def test_what_was_read_to_the_end_in_time_and_is_not_there_is_absent() -> None:
    assert read_of(page()).answer(look()) == Absent(SETTLED_MS)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(read_of(page(cursor="x")), id="not_at_its_end"),
        pytest.param(read_of(page(), begun_ms=SETTLED_MS - 1), id="begun_too_early"),
        pytest.param(
            read_of(page(), oldest_ms=INTENT_MS - NARROWEST_MS + 1), id="window_too_narrow"
        ),
        pytest.param(read_of(page(), behind_ms=1), id="too_narrow_for_slacks_clock"),
    ],
)
def test_otherwise_another_read_is_needed(read: HistoryRead) -> None:
    assert read.answer(look()) is None


def test_a_read_is_used_for_as_long_as_it_is_kept() -> None:
    # Given
    an_hour_later = look(since_s=3_600, now_ms=SETTLED_MS + 3_600_000)

    # When
    answer = read_of(page()).answer(an_hour_later)

    # Then
    assert answer == Absent(SETTLED_MS)


def test_a_server_with_another_time_that_took_over_is_not_misled_by_an_earlier_read() -> None:
    # Given
    behind_ms = 300_000
    # It began a minute before anything could be seen there, by the clock of the one that failed.
    later = look(since_s=600.0, now_ms=SETTLED_MS + 600_000 - behind_ms, reconcile_at_ms=SETTLED_MS)

    # When
    answer = read_of(page()).answer(later)

    # Then
    assert answer is None


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        pytest.param(
            read_of(page(is_cut=True, cursor="x"), page()),
            CannotTell("window_cut", final=True),
            id="window_cut",
        ),
        pytest.param(
            read_of(page(Marked("1.1", "B1", None))),
            CannotTell("metadata_withheld", final=False),
            id="metadata_withheld",
        ),
        pytest.param(
            read_of(page(), behind_ms=None),
            CannotTell("slack_clock_unknown", final=False),
            id="slack_clock_unknown",
        ),
        pytest.param(
            read_of(page(), thread_ts="1.1"),
            CannotTell("thread_not_clear", final=False),
            id="thread_not_clear",
        ),
        pytest.param(
            read_of(page(parent_ts="1.0"), page(parent_ts="1.0"), place=REPLY, thread_ts="1.1"),
            CannotTell("thread_of_a_reply", final=True),
            id="thread_of_a_reply",
        ),
        pytest.param(
            read_of(page(parent_ts="1.0"), page(parent_ts="0.9"), place=REPLY, thread_ts="1.1"),
            CannotTell("thread_of_a_reply", final=True),
            id="thread_of_a_reply_to_a_reply",
        ),
        pytest.param(
            read_of(page(Marked("1.1", "B9", "m1"))),
            CannotTell("marker_of_another_bot", final=True),
            id="marker_of_another_bot",
        ),
        pytest.param(
            read_of(page(Marked("1.1", None, "m1"))),
            CannotTell("marker_of_another_bot", final=True),
            id="marker_of_a_person",
        ),
    ],
)
def test_what_is_odd_proves_no_absence_and_hides_no_message(
    read: HistoryRead, answer: CannotTell
) -> None:
    # Given
    before = read.answer(look())

    # When
    read.take(page(OWN), bot_id="B1", behind_ms=0, now_s=2.0)

    # Then
    assert before == answer
    assert read.answer(look()) == Found({"channel": "C1", "ts": OWN.ts})


def test_a_find_needs_neither_end_nor_time_nor_window() -> None:
    # Given
    read = read_of(page(OWN, cursor="x"), begun_ms=0, oldest_ms=INTENT_MS)

    # When
    answer = read.answer(look())

    # Then
    assert answer == Found({"channel": "C1", "ts": OWN.ts})


def test_of_a_reply_both_threads_are_read_before_anything_is_concluded() -> None:
    # Given
    read = read_of(page(cursor="x", parent_ts="1.0"), place=REPLY, thread_ts="1.1")

    # When
    before = (read.is_complete, read.thread_ts, read.cursor)
    read.take(page(cursor="y", parent_ts="1.0"), bot_id="B1", behind_ms=0, now_s=2.0)

    # Then
    assert before == (False, "1.0", "")
    assert (read.is_complete, read.thread_ts, read.cursor) == (False, "1.0", "y")


def test_what_both_threads_of_a_reply_show_is_one_message() -> None:
    # Given
    shown = page(OWN, parent_ts="1.0")

    # When
    answer = read_of(shown, shown, place=REPLY, thread_ts="1.1").answer(look())

    # Then
    assert answer == Found({"channel": "C1", "ts": OWN.ts})


def test_finds_are_ordered_as_numbers() -> None:
    # Given
    stamps = ["1000000000.000002", "999999999.000010", "1000000000.000001"]
    read = read_of(page(*(Marked(ts, "B1", "m1") for ts in stamps)))

    # When
    found = read.answer(look())

    # Then
    assert isinstance(found, Found)
    assert [each["ts"] for each in (found.receipt, *found.duplicates)] == sorted(stamps, key=float)


def many(count: int, *, place: Place = CHANNEL) -> HistoryRead:
    marked = (Marked(f"1.{number:06d}", "B1", f"m{number}") for number in range(count))
    return read_of(page(*marked), place=place)


def test_reads_are_kept_up_to_a_limit_of_markers_in_all() -> None:
    # Given
    kept = KeptReads(most=10)
    places = [Place("T1", f"C{number}") for number in range(4)]

    # When
    taken = [kept.keep(many(2, place=place)) for place in places]

    # Then
    assert taken == [True] * 4
    assert [kept.get(place) is not None for place in places] == [False, True, True, True]


def test_a_read_that_grew_takes_more_room() -> None:
    # Given
    kept = KeptReads(most=10)
    other = Place("T1", "C2")
    kept.keep(many(4, place=other))
    read = many(2)
    kept.keep(read)

    # When
    read.take(
        page(*(Marked("2.1", "B1", f"more{n}") for n in range(4))),
        bot_id="B1",
        behind_ms=0,
        now_s=2.0,
    )
    kept.keep(read)

    # Then
    assert kept.get(other) is None
    assert kept.get(CHANNEL) is read


def test_a_read_that_is_too_large_by_itself_is_not_kept() -> None:
    # Given
    kept = KeptReads(most=10)

    # When
    taken = kept.keep(many(10))

    # Then
    assert not taken
    assert kept.get(CHANNEL) is None
