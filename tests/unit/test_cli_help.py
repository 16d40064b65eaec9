from __future__ import annotations

import subprocess
import sys

import pytest

from actors.cli import app, run
from actors.commands.exit_codes import ExitCode

COMMANDS = [
    command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands
]


@pytest.fixture
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_every_command_of_the_design_is_there() -> None:
    # Then
    assert COMMANDS == [
        "configure",
        "request",
        "status",
        "explain",
        "list",
        "redrive",
        "cancel",
        "rebuild",
        "stats",
        "doctor",
        "projector",
        "up",
    ]


@pytest.mark.usefixtures("_eighty_columns")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example_and_fits_a_terminal(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # When
    code = run([command, "--help"])

    # Then
    shown = capsys.readouterr().out
    assert code == ExitCode.DONE
    _, examples = shown.split("Example", 1)
    assert f"postonce {command}" in examples
    assert max(len(line) for line in shown.splitlines()) <= 80


@pytest.mark.usefixtures("_eighty_columns")
@pytest.mark.parametrize("arguments", [["--help"], []])
def test_the_help_says_what_each_command_does_and_what_each_exit_code_means(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # When
    code = run(arguments)

    # Then
    shown = capsys.readouterr().out
    assert code == ExitCode.DONE
    _, commands = shown.split("Commands:", 1)
    assert "\n    postonce explain acme r1\n" in commands
    assert "..." not in commands
    for number in (0, 1, 2, 3, 4, 5, "130 and 143", 141):
        assert f"\n    {number}  " in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_the_help_needs_none_of_the_clients() -> None:
    # When
    program = "import sys, actors.cli; print(*{'redis', 'dramatiq', 'slack_sdk'} & {*sys.modules})"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )

    # Then
    assert ended.stdout == "\n"


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    # When
    code = run(["--version"])

    # Then
    assert code == ExitCode.DONE
    assert capsys.readouterr().out.startswith("postonce 0.")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["sned"], "sned"),
        (["status", "acme"], "'ID'"),
        (["status", "acme", "r1", "--jsno"], "--jsno"),
        (["list", "--status", "lost"], "'unproven'"),
        (["list", "--limit", "0"], "--limit"),
        (["configure", "no/such/file.yaml"], "no/such/file.yaml"),
        (["up", "--workers", "0"], "--workers"),
    ],
)
def test_a_usage_error_is_one_line_that_names_what_is_wrong(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # When
    code = run(arguments)

    # Then
    captured = capsys.readouterr()
    assert (code, captured.out) == (ExitCode.USAGE, "")
    (line,) = captured.err.splitlines()
    assert line.startswith("postonce")
    assert named in line
    assert "--help" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTONCE_LEASE_S", "never"),
        ("POSTONCE_REDIS_URL", "http://user:secret@host"),
    ],
)
@pytest.mark.parametrize("command", ["stats", "doctor", "up"])
def test_a_bad_setting_is_named_and_its_value_is_not(
    command: str,
    name: str,
    value: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given
    monkeypatch.setenv(name, value)

    # When
    code = run([command])

    # Then
    captured = capsys.readouterr()
    assert code == ExitCode.USAGE
    (line,) = captured.err.splitlines()
    assert name in line
    assert "secret" not in line


@pytest.mark.parametrize("command", ["stats", "up"])
def test_a_broken_timing_contract_is_one_sentence_about_the_environment(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_LEASE_S", "2")

    # When
    code = run([command])

    # Then
    captured = capsys.readouterr()
    assert code == ExitCode.USAGE
    (line,) = captured.err.splitlines()
    assert line.startswith("postonce: POSTONCE_LEASE_S must be at least 15, not 2: ")
