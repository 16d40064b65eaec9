"""One supervised process: it is started again after its end, later each time it ends soon.

The kernel ties it to the supervisor: `PR_SET_PDEATHSIG` sends it SIGTERM when the *thread* that
started it ends, so it is the main thread that starts it. What the child itself has started is in
its process group, which is killed when the child has ended: Dramatiq's worker process would else
go on working, unsupervised, after its own parent was killed.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

# Soon, for a single crash; after that seldom enough that a broken set-up does not fill the log.
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
# Who ran for this long had started well: the next pause is the first again.
_RAN_WELL_S = 30.0

_PR_SET_PDEATHSIG = 1


class ChildProcess:
    """`start_at_s` is when it should be started (monotonic), None while it runs."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.start_at_s: float | None = 0.0
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._pause_s = _FIRST_PAUSE_S

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, now_s: float) -> None:
        # Its output goes where the supervisor's goes, unchanged; a terminal's Ctrl-C does not
        # reach it, since it is in another group.
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            self._command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=_tied_to_parent(),  # noqa: PLW1509 - the supervisor has one thread
        )
        self._started_s, self.start_at_s = now_s, None
        log.info("%s started, pid %d", self.name, self._process.pid)

    def notice_end(self, now_s: float) -> None:
        """If it has ended, end what it left behind and say when it is to be started again."""
        if self._process is None or self._process.poll() is None:
            return
        if now_s - self._started_s >= _RAN_WELL_S:
            self._pause_s = _FIRST_PAUSE_S
        log.error(
            "%s %s, starting it again in %.1f s",
            self.name,
            _ending(self._process.returncode),
            self._pause_s,
        )
        self.kill_group()
        self.start_at_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def terminate(self) -> None:
        """Ask it alone: it tells its own children, and a second SIGTERM would hurry them."""
        if self._process is not None:
            self._process.terminate()

    def kill_group(self) -> None:
        """End at once whatever of it is left; nothing happens when nothing is."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def _ending(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"


def _tied_to_parent() -> Callable[[], None] | None:
    """What the child does between fork and exec; None where the kernel has no such thing."""
    if sys.platform != "linux":
        return None
    # Looked up before the fork: afterwards as little as possible may happen.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            # It died before the kernel was told.
            os._exit(1)

    return tie
