"""Keeps processes running: what dies is started again, and nothing outlives the supervisor.

Each child leads a process group, so that what it has started goes with it. On Linux the kernel
itself tells the children to stop when their supervisor dies, however it dies; elsewhere they are
left behind by a supervisor that is killed, and only then.
"""

from __future__ import annotations

import logging
import signal
import time
from typing import TYPE_CHECKING

from actors.commands.child_process import ChildProcess
from projector.signal_inbox import SignalInbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# A child that ended is noticed by its signal; this is for one that came before we listened.
_LOOK_AGAIN_S = 1.0


class Supervisor:
    """`commands` by name; single-threaded, in the main thread."""

    def __init__(self, commands: Mapping[str, Sequence[str]], *, stop_within_s: float) -> None:
        self._children = [ChildProcess(name, command) for name, command in commands.items()]
        self._stop_within_s = stop_within_s

    def run(self) -> bool:
        """Return when all have ended after SIGTERM, Ctrl-C or SIGHUP; False if some were killed.

        They are killed when they take too long, or when a second signal comes.
        """
        with SignalInbox((*_STOPPING, signal.SIGCHLD)) as inbox:
            while True:
                pause_s = self._keep_running()
                if any(number in _STOPPING for number in inbox.wait(pause_s)):
                    break
            log.info("stopping; once more ends them at once")
            return self._stop(inbox)

    def _keep_running(self) -> float:
        """Start what is due; how long until something may have to be done again, in seconds."""
        now_s = time.monotonic()
        ahead = [_LOOK_AGAIN_S]
        for child in self._children:
            child.notice_end(now_s)
            if child.start_at_s is not None:
                if child.start_at_s <= now_s:
                    child.start(now_s)
                else:
                    ahead.append(child.start_at_s - now_s)
        return min(ahead)

    def _stop(self, inbox: SignalInbox) -> bool:
        for child in self._children:
            child.terminate()
        deadline_s = time.monotonic() + self._stop_within_s
        while running := [child.name for child in self._children if child.is_running]:
            remaining_s = deadline_s - time.monotonic()
            hurried = remaining_s > 0 and any(
                number in _STOPPING for number in inbox.wait(min(remaining_s, _LOOK_AGAIN_S))
            )
            if hurried or remaining_s <= 0:
                log.warning("killing %s", ", ".join(running))
                break
        for child in self._children:
            child.kill_group()
        return not running
