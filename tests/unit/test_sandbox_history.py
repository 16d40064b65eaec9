from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.history import newest_first, oldest_first, read_window
from sandbox.slack.posts import Post
from sandbox.slack.timestamps import ts_of


def post(micros: int) -> Post:
    return Post(
        team="T1",
        channel="C1",
        ts=ts_of(micros),
        thread_ts=None,
        text="",
        blocks=None,
        metadata=None,
        bot_id="B1",
        user_id="U1",
    )


@given(
    count=st.integers(min_value=0, max_value=40),
    limit=st.integers(min_value=1, max_value=50),
    page_max=st.integers(min_value=1, max_value=50),
)
def test_following_the_cursors_reads_each_message_once(
    count: int, limit: int, page_max: int
) -> None:
    # Given
    posts = [post(micros) for micros in range(count)]
    read: list[Post] = []
    cursor = ""

    # When
    while True:
        arguments = Arguments({"limit": limit, "cursor": cursor})
        page = newest_first(posts, read_window(arguments, page_max=page_max))
        read.extend(page.posts)
        cursor = page.next_cursor
        if not cursor:
            break

    # Then
    assert read == posts[::-1]


def test_a_message_that_arrives_between_two_pages_shifts_nothing() -> None:
    # Given
    posts = [post(micros) for micros in range(4)]
    first = newest_first(posts, read_window(Arguments({"limit": 2}), page_max=999))

    # When
    arguments = Arguments({"limit": 2, "cursor": first.next_cursor})
    second = newest_first([*posts, post(9)], read_window(arguments, page_max=999))

    # Then
    assert [*first.posts, *second.posts] == posts[::-1]


def test_a_thread_names_its_parent_even_outside_the_window() -> None:
    # Given
    parent, *replies = (post(micros) for micros in range(4))
    window = read_window(Arguments({"oldest": replies[1].ts}), page_max=999)

    # When
    page = oldest_first(parent, replies, window)

    # Then
    assert page.posts == (parent, replies[2])


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"latest": "1.0000001"}, "invalid_ts_latest"),
        ({"limit": 0}, "invalid_limit"),
        ({"limit": "1000"}, "invalid_limit"),
        ({"limit": "many"}, "invalid_limit"),
        ({"cursor": "bmV4dF90czp4"}, "invalid_cursor"),
        ({"cursor": "?"}, "invalid_cursor"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(values: dict[str, object], code: str) -> None:
    # When
    with pytest.raises(SlackError) as raised:
        read_window(Arguments(values), page_max=999)

    # Then
    assert raised.value.code == code
