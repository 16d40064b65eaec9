from __future__ import annotations

from typing import Any

import pytest

from actors.slack.history_page import HistoryPage, Marked, read_page

PAYLOAD = {"delivery": "m1"}
METADATA = {"event_type": "postonce", "event_payload": PAYLOAD}
POSTED = {"ts": "1700000000.000100", "bot_id": "B1", "text": "hi", "metadata": METADATA}
LAST: dict[str, Any] = {
    "ok": True,
    "messages": [POSTED],
    "has_more": False,
    "response_metadata": {"next_cursor": ""},
}


def page_of(*marked: Marked) -> HistoryPage:
    return HistoryPage(marked, next_cursor="", is_cut=False, parent_ts=None)


def test_a_page_is_reduced_to_what_bears_a_marker_of_ours() -> None:
    # Given
    others = [
        {"ts": "1700000000.000400", "user": "U1", "text": "hello"},
        {"ts": "1700000000.000300", "metadata": {"event_type": "other", "event_payload": PAYLOAD}},
        {"ts": "1700000000.000200", "metadata": None},
    ]

    # When
    page = read_page({**LAST, "messages": [*others, POSTED]}, thread_ts=None)

    # Then
    assert page == page_of(Marked("1700000000.000100", "B1", "m1"))


@pytest.mark.parametrize(
    "metadata",
    [
        {"event_type": "postonce"},
        {"event_type": "postonce", "event_payload": {}},
        {"event_type": "postonce", "event_payload": {"delivery": 1}},
        {"event_type": "postonce", "event_payload": "m1"},
    ],
    ids=str,
)
def test_a_marker_that_is_withheld_is_seen_as_that(metadata: dict[str, Any]) -> None:
    # When
    page = read_page({**LAST, "messages": [{**POSTED, "metadata": metadata}]}, thread_ts=None)

    # Then
    assert page is not None
    assert [each.marker for each in page.marked] == [None]


@pytest.mark.parametrize(
    ("changes", "cursor"),
    [
        ({}, ""),
        ({"response_metadata": None}, ""),
        ({"response_metadata": {"next_cursor": None}}, ""),
        ({"response_metadata": {"next_cursor": "x"}, "has_more": True}, "x"),
        # What is told to be the end is not, if there is a place to go on.
        ({"response_metadata": {"next_cursor": "x"}, "has_more": False}, "x"),
    ],
)
def test_the_place_to_go_on_is_told(changes: dict[str, Any], cursor: str) -> None:
    # When
    page = read_page({**LAST, **changes}, thread_ts=None)

    # Then
    assert page is not None
    assert page.next_cursor == cursor


@pytest.mark.parametrize(
    "end",
    [
        {"has_more": False},
        {"has_more": False, "response_metadata": {}},
        {"response_metadata": {"next_cursor": ""}},
    ],
    ids=str,
)
def test_the_end_is_told_by_either_word(end: dict[str, Any]) -> None:
    # When
    page = read_page({"ok": True, "messages": [], **end}, thread_ts=None)

    # Then
    assert page == page_of()


@pytest.mark.parametrize(
    "silence",
    [
        {},
        {"response_metadata": None},
        {"response_metadata": {}},
        {"response_metadata": {"next_cursor": None}},
    ],
    ids=str,
)
def test_without_a_word_about_more_it_is_not_the_end(silence: dict[str, Any]) -> None:
    assert read_page({"ok": True, "messages": [], **silence}, thread_ts=None) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": None},
        {"messages": {}},
        {"messages": ["hi"]},
        {"messages": [{}]},
        {"messages": [{**POSTED, "ts": 1700000000.0001}]},
        {"messages": [{**POSTED, "ts": "yesterday"}]},
        {"has_more": True},
        {"has_more": "true"},
        {"has_more": True, "response_metadata": {}},
        {"has_more": None},
        {"response_metadata": {"next_cursor": 7}},
        {"response_metadata": {"next_cursor": ["x"]}},
        {"response_metadata": {"next_cursor": None}, "has_more": True},
    ],
    ids=str,
)
def test_what_is_not_understood_is_no_page(changes: dict[str, Any]) -> None:
    assert read_page({**LAST, **changes}, thread_ts=None) is None


def test_a_page_without_messages_is_no_page() -> None:
    assert read_page({"ok": True}, thread_ts=None) is None


def test_a_cut_window_is_told() -> None:
    # When
    page = read_page({**LAST, "is_limited": True}, thread_ts=None)

    # Then
    assert page is not None
    assert page.is_cut


@pytest.mark.parametrize(
    ("messages", "parent_ts"),
    [
        pytest.param([{"ts": "1.1"}], "1.1", id="no_replies"),
        pytest.param([{"ts": "1.1", "thread_ts": "1.1"}], "1.1", id="the_parent"),
        pytest.param([{"ts": "1.1", "thread_ts": "0.9"}], "0.9", id="a_reply"),
        pytest.param(
            [{"ts": "0.9", "thread_ts": "0.9"}, {"ts": "1.1", "thread_ts": "0.9"}],
            "0.9",
            id="the_whole_thread_of_a_reply",
        ),
        pytest.param([{"ts": "0.9", "thread_ts": "0.9"}], "0.9", id="the_thread_without_the_reply"),
        pytest.param([{"ts": "0.9"}], None, id="another_message"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_the_thread_that_it_belongs_to_is_told(
    messages: list[dict[str, str]], parent_ts: str | None
) -> None:
    # When
    page = read_page({**LAST, "messages": messages}, thread_ts="1.1")

    # Then
    assert page is not None
    assert page.parent_ts == parent_ts
