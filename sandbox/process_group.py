"""A program and all that it starts: told, paused and killed together."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

from sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Two cores start several interpreters at a time.
START_S = 30.0
_STOP_S = 20.0


class ProcessGroup:
    """It runs in `directory`; `log_file` gets what all of them write."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        log_file: Path,
    ) -> None:
        self.log_file = log_file
        with log_file.open("wb") as log:
            self._leader = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    @property
    def is_running(self) -> bool:
        """True also while it is paused."""
        return self._leader.poll() is None

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        """Until the log has it; fails at once when the program has ended without it."""
        wait_until(
            lambda: text in self.log or not self.is_running,
            description=f"{text!r} in {self.log_file.name}",
            timeout_s=START_S,
        )
        assert text in self.log, self.log

    def wait_for_another(self, text: str) -> None:
        """Until the log has it once more than now."""
        count = self.log.count(text)
        wait_until(
            lambda: self.log.count(text) > count,
            description=f"another {text!r} in {self.log_file.name}",
            timeout_s=START_S,
        )

    def wait(self) -> int:
        """The exit code of the program itself."""
        return self._leader.wait(_STOP_S)

    def terminate(self) -> None:
        """As a supervisor does: the program tells what it has started."""
        self._leader.terminate()

    def kill(self) -> None:
        """At once, as when a machine dies."""
        if self.is_running:
            self._signal_all(signal.SIGKILL)
            self._leader.wait()

    def pause(self) -> None:
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        os.killpg(self._leader.pid, number)
