from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.system.program import running, wait_until_gone

if TYPE_CHECKING:
    from pathlib import Path

SUPERVISED = "tests.system.supervised"

# Whatever a failing test leaves behind ends by itself after a minute, by its alarm.
WAITS = "import signal; signal.alarm(60); print('ready', flush=True); signal.pause()"
# Ends by no signal but SIGKILL.
STUBBORN = """
import signal
signal.alarm(60)
signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))
print('ready', flush=True)
while True: signal.pause()
"""
# Leaves a child of its own behind when it is killed.
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAITS!r}])"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_what_dies_is_started_again_later_each_time(log: Path) -> None:
    # When
    with running(SUPERVISED, "10", "raise SystemExit(3)", log=log) as program:
        program.wait_for("(child started)", times=3)

    # Then
    first, second, *_ = program.wait_for(r"(child ended with exit code 3, .*)", times=2)
    assert first.endswith("starting it again in 0.5 s")
    assert second.endswith("starting it again in 1.0 s")


def test_what_a_killed_child_had_started_ends_before_it_is_started_again(log: Path) -> None:
    # Given
    with running(SUPERVISED, "10", PARENT, log=log) as program:
        first = program.started("child")
        program.wait_for("(ready)")

        # When
        os.kill(first, signal.SIGKILL)
        program.started("child", times=2)

        # Then
        wait_until_gone(first)
        program.wait_for("(child was ended by SIGKILL)")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_children_and_then_the_supervisor(
    log: Path, ending: signal.Signals
) -> None:
    # Given
    with running(SUPERVISED, "10", WAITS, log=log) as program:
        child = program.started("child")
        program.wait_for("(ready)")

        # When
        program.send(ending)

        # Then
        assert program.wait() == 0
        wait_until_gone(child)
        assert "killing" not in program.log


def test_a_second_signal_ends_at_once_what_does_not_want_to_end(log: Path) -> None:
    # Given
    with running(SUPERVISED, "1000", STUBBORN, log=log) as program:
        child = program.started("child")
        program.wait_for("(ready)")
        program.send(signal.SIGTERM)
        program.wait_for("(no)")

        # When
        program.send(signal.SIGINT)

        # Then
        assert program.wait() == 1
        wait_until_gone(child)
        assert "killing child" in program.log


def test_what_takes_too_long_to_end_is_killed(log: Path) -> None:
    # Given
    with running(SUPERVISED, "0.2", STUBBORN, log=log) as program:
        child = program.started("child")
        program.wait_for("(ready)")

        # When
        program.send(signal.SIGTERM)

        # Then
        assert program.wait() == 1
        wait_until_gone(child)


def test_children_do_not_outlive_a_killed_supervisor(log: Path) -> None:
    # Given
    with running(SUPERVISED, "10", WAITS, log=log) as program:
        child = program.started("child")
        program.wait_for("(ready)")

        # When
        program.send(signal.SIGKILL)
        program.wait()

        # Then
        wait_until_gone(child)
