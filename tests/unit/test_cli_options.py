from __future__ import annotations

import pytest

from actors.cli import run
from actors.commands.durations import duration_ms
from actors.commands.exit_codes import ExitCode
from actors.options import channel_id, sentence


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [("30s", 30_000), ("10m", 600_000), ("2h", 7_200_000), ("3d", 259_200_000), ("0s", 0)],
)
def test_a_duration_is_a_number_and_its_unit(text: str, length_ms: int) -> None:
    # Then
    assert duration_ms(text) == length_ms


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "-2h", "2.5h", "2H", "2h30m", "٢h", "2w"])
def test_anything_else_is_no_duration(text: str) -> None:
    # Then
    with pytest.raises(ValueError, match="such as 30s, 10m, 2h or 3d"):
        duration_ms(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("x" * 201, "201"),
        ("a\nb", "control"),
        ("\x1b[2J", "control"),
    ],
)
def test_a_reason_is_one_short_printable_sentence(text: str, wrong: str) -> None:
    # Then
    with pytest.raises(ValueError, match=wrong):
        sentence(text)


def test_a_reason_may_be_in_any_language() -> None:
    # Given
    longest = "ä" * 200

    # Then
    assert sentence(longest) == longest


@pytest.mark.parametrize("text", ["", "#ops", "ops", "C1 "])
def test_a_channel_is_given_by_its_id(text: str) -> None:
    # Then
    with pytest.raises(ValueError, match="channel's id"):
        channel_id(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--older-than", "2 hours"),
        ("list", "--newer-than", "soon"),
        ("redrive", "acme", "r1", "--why", "two\nlines"),
        ("redrive", "acme", "r1", "--why", "found", "--mark-sent", "17"),
        ("redrive", "acme", "r1", "--why", "found", "--channel", "#ops"),
        ("redrive", "--status", "sent"),
        ("cancel", "acme", "r1", "--by", ""),
    ],
)
def test_a_bad_value_is_named_in_one_line(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    # When
    code = run(arguments)

    # Then
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert (code, captured.out) == (ExitCode.USAGE, "")
    assert f"postonce {arguments[0]}: Invalid value for '{arguments[-2]}'" in line
