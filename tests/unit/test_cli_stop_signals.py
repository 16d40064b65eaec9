from __future__ import annotations

import signal
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from actors.commands.request_lines import read_lines
from actors.commands.stop_signals import end_by_signals

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _handled_as_a_command_does() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    end_by_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_was_swallowed_ends_the_reading_of_lines() -> None:
    # Given
    lines = read_lines(BytesIO(b"{1}\n{2}\n"))
    next(lines)
    with suppress(SystemExit):
        signal.raise_signal(signal.SIGTERM)

    # When / Then
    with pytest.raises(SystemExit) as ended:
        next(lines)
    assert ended.value.code == ExitCode.TERMINATED


def test_so_does_ctrl_c() -> None:
    # Given
    lines = read_lines(BytesIO(b"{1}\n{2}\n"))
    with suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)

    # When / Then
    with pytest.raises(KeyboardInterrupt):
        next(lines)


def test_lines_are_read_to_their_end_where_no_signal_came() -> None:
    # When
    lines = list(read_lines(BytesIO(b"{1}\n{2}\n")))

    # Then
    assert [line.number for line in lines] == [1, 2]
