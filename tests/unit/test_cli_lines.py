from __future__ import annotations

from io import BytesIO

import pytest

from actors.commands.request_lines import LINE_MAX_BYTES, Line, read_lines
from actors.commands.screen import printable, say


def test_blank_lines_are_counted_and_left_out() -> None:
    # Given
    stream = BytesIO(b"{1}\n\n \t\r\n{4}\r\n\n{6}")

    # When
    lines = list(read_lines(stream))

    # Then
    assert lines == [Line(1, b"{1}\n"), Line(4, b"{4}\r\n"), Line(6, b"{6}")]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    # Then
    assert list(read_lines(BytesIO(b"\xef\xbb\xbf{1}"))) == [Line(1, b"{1}")]
    assert list(read_lines(BytesIO(b"\xef\xbb\xbf\n{2}"))) == [Line(2, b"{2}")]


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_line_of_the_largest_size_is_read(ending: bytes) -> None:
    # Given
    line = b"x" * LINE_MAX_BYTES + ending

    # Then
    assert list(read_lines(BytesIO(line))) == [Line(1, line)]


@pytest.mark.parametrize("excess", [1, LINE_MAX_BYTES - 1, LINE_MAX_BYTES, 3 * LINE_MAX_BYTES + 7])
def test_of_a_line_that_is_too_long_nothing_is_kept(excess: int) -> None:
    # Given
    stream = BytesIO(b"{1}\n" + b"x" * (LINE_MAX_BYTES + excess) + b"\n{3}\n")

    # When
    lines = list(read_lines(stream))

    # Then
    assert lines == [Line(1, b"{1}\n"), Line(2, None), Line(3, b"{3}\n")]


def test_lines_are_read_one_by_one() -> None:
    # Given
    stream = BytesIO(b"{1}\n{2}\n")

    # When
    next(read_lines(stream))

    # Then
    assert stream.tell() == len(b"{1}\n")


def test_text_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    # When
    say("red \x1b[31m", "two\nlines", "é :+1: [bold]")

    # Then
    assert capsys.readouterr().out == "red \\u001b[31m\ttwo\\u000alines\té :+1: [bold]\n"
    assert printable("naïve 日本") == "naïve 日本"
