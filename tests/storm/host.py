"""One machine of the installation: `postonce up`, whose projector and worker can be struck down.

The supervisor is never struck: it is what starts again whoever was.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sandbox.process_group import ProcessGroup
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

_STARTED = re.compile(rb"(projector|worker) ?\d* started, pid (\d+)")
_READY = "Worker process is ready for action"
_STOP_S = (0.2, 3.0)


class Host:
    def __init__(self, number: int, directory: Path, environment: Mapping[str, str]) -> None:
        command = (str(Path(sys.executable).with_name("postonce")), "up")
        self._group = ProcessGroup(
            (*command, "--workers", "1", "--threads", "8"),
            directory=directory,
            environment=environment,
            log_file=directory / f"host-{number}.log",
        )
        self._read_to = 0
        self._leaders: dict[str, int] = {}

    def wait_until_ready(self) -> None:
        self._group.wait_for(_READY)

    def kill(self, victim: Literal["worker", "projector"]) -> int | None:
        """The leader of the process group that is no more; None when none runs just now."""
        pid = self._leader(victim)
        # Only another one is killed next, not what is left of this.
        self._leaders.pop(victim, None)
        return self._told(pid, signal.SIGKILL) if pid is not None else None

    def pause(self, victim: Literal["worker", "projector"]) -> int | None:
        """As `kill`, but it stands still until it is resumed."""
        pid = self._leader(victim)
        return self._told(pid, signal.SIGSTOP) if pid is not None else None

    def resume(self, pid: int) -> None:
        """Nothing happens to one that was killed meanwhile."""
        self._told(pid, signal.SIGCONT)

    def stop(self) -> None:
        """At once: the second signal tells the supervisor not to let its children finish."""
        for patience_s in _STOP_S:
            self._group.terminate()
            with suppress(TimeoutError):
                wait_until(
                    lambda: not self._group.is_running,
                    description="the supervisor has ended",
                    timeout_s=patience_s,
                )
        self._group.kill()

    def check(self) -> None:
        """Fail if the supervisor itself has ended."""
        assert self._group.is_running, self._group.log[-2_000:]

    def _leader(self, victim: str) -> int | None:
        """Of the victim that runs, as the supervisor's log names it."""
        with self._group.log_file.open("rb") as log:
            log.seek(self._read_to)
            lines, _, _ = log.read().rpartition(b"\n")
        self._read_to += len(lines)
        for name, pid in _STARTED.findall(lines):
            self._leaders[name.decode()] = int(pid)
        return self._leaders.get(victim)

    def _told(self, pid: int, number: signal.Signals) -> int | None:
        with suppress(ProcessLookupError):
            os.killpg(pid, number)
            return pid
        return None
