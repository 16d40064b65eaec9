from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from actors.commands.request_lines import LINE_MAX_BYTES
from projector.status import read_status
from tests.redis.projector.asking import fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from middleware.ledger import Ledger
    from tests.redis.cli.conftest import Ended


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "requests.jsonl"


def lines(*asked: dict[str, object]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in asked)


def test_requests_are_accepted_and_counted(
    cli: Callable[..., Ended], file: Path, ledger: Ledger
) -> None:
    # Given
    file.write_text(lines(fields("r1"), fields("r2")))

    # When
    first = cli("request", file)
    second = cli("request", file)

    # Then
    assert first == type(first)(
        ExitCode.DONE, "2 accepted, 0 duplicates, 0 conflicts, 0 refused\n", ""
    )
    assert second.code == ExitCode.DONE
    assert second.out == "0 accepted, 2 duplicates, 0 conflicts, 0 refused\n"
    assert read_status(ledger, "acme", "r2") is not None


def test_a_bad_line_is_named_and_the_rest_goes_on(
    cli: Callable[..., Ended], file: Path, ledger: Ledger
) -> None:
    # Given
    bad = {**fields("r2"), "tenant": "a b", "channel_code": None}
    conflict = fields("r1", variables={"host": "db-2"})
    file.write_text(lines(fields("r1")) + "\nno json\n" + lines(bad, conflict, fields("r3")))

    # When
    ended = cli("request", file)

    # Then
    assert ended.code == ExitCode.REFUSED
    assert ended.out == "2 accepted, 0 duplicates, 1 conflict, 2 refused\n"
    not_json, *of_fields, conflicting = ended.err.splitlines()
    assert not_json.startswith("line 3: not JSON")
    assert {line.split(":")[1] for line in of_fields} == {" tenant", " channel_code"}
    assert all(line.startswith("line 4: ") for line in of_fields)
    assert conflicting.startswith("line 5: message_request_id: ")
    assert read_status(ledger, "acme", "r3") is not None


def test_lines_that_are_too_long_are_refused_in_their_place(
    cli: Callable[..., Ended], file: Path
) -> None:
    # Given
    too_long = "x" * (LINE_MAX_BYTES + 1) + "\n"
    file.write_text(too_long + lines(fields("r1")) + too_long + too_long + "no json\n" + too_long)

    # When
    ended = cli("request", file)

    # Then
    assert ended.code == ExitCode.REFUSED
    assert ended.out == "1 accepted, 0 duplicates, 0 conflicts, 5 refused\n"
    numbers = [int(line.split(":")[0].removeprefix("line ")) for line in ended.err.splitlines()]
    assert numbers == [1, 3, 4, 5, 6]


def test_programs_get_the_totals_as_json(cli: Callable[..., Ended], file: Path) -> None:
    # Given
    file.write_bytes(b"\xef\xbb\xbf" + lines(fields("r1"), fields("r1")).encode())

    # When
    ended = cli("request", file, "--json")

    # Then
    assert ended.objects == [{"accepted": 1, "duplicates": 1, "conflicts": 0, "refused": 0}]


def test_an_empty_file_is_fine(cli: Callable[..., Ended], file: Path) -> None:
    # Given
    file.write_text("\n")

    # Then
    assert cli("request", file).code == ExitCode.DONE


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_a_usage_error(
    cli: Callable[..., Ended], tmp_path: Path, name: str
) -> None:
    # When
    ended = cli("request", tmp_path / name)

    # Then
    assert ended.code == ExitCode.USAGE
    (line,) = ended.err.splitlines()
    assert str(tmp_path / name) in line


@pytest.mark.usefixtures("terminal")
def test_a_terminal_shows_progress_and_is_left_with_the_total(
    cli: Callable[..., Ended], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    file.write_text(lines(fields("r1")))

    # When
    ended = cli("request", file)

    # Then
    assert "1 accepted" in ended.err
    assert ended.out == "1 accepted, 0 duplicates, 0 conflicts, 0 refused\n"
