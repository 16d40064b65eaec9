"""A program under test in a process of its own, whose log is read while it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.waiting import wait_until

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Two cores start several interpreters at a time.
START_S = 30.0
END_S = 20.0


class Program:
    """`log` is all that it and its children have written so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for(self, pattern: str, *, times: int = 1) -> list[str]:
        """What the pattern's group matched, once it was there so many times."""

        def found() -> list[str]:
            matches = re.findall(pattern, self.log)
            return matches if len(matches) >= times else []

        return wait_until(
            found, description=f"{pattern} in the log, {times} times", timeout_s=START_S
        )

    def started(self, name: str, *, times: int = 1) -> int:
        """The process id of the child that was started as the `times`-th of this name."""
        return int(self.wait_for(rf"{name} started, pid (\d+)", times=times)[times - 1])

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        return self._process.wait(END_S)


@contextmanager
def running(
    *arguments: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """`python -m ARGUMENTS`; told to stop at the end, and killed if it does not."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=os.environ | (environment or {}),
            stdout=output,
            stderr=output,
        )
    try:
        yield Program(process, log)
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def group_is_gone(leader: int) -> bool:
    """Whether no process is left of the group that this one led."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return True
    return False


def wait_until_gone(*leaders: int) -> None:
    wait_until(
        lambda: all(group_is_gone(leader) for leader in leaders),
        description=f"the process groups {leaders} are gone",
        timeout_s=END_S,
    )
