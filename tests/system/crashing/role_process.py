"""The processes of a run: each is forked from one that is ready, told, stopped, or killed."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from tests.system.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from tests.system.crashing.effects import Role

# Nothing that a process is told to do takes as long, on the slowest machine.
_ANSWER_S = 30.0


class RoleProcess:
    """One process. `pid` names it until its end has been noticed."""

    def __init__(self, role: Role, channel: socket.socket) -> None:
        channel.settimeout(_ANSWER_S)
        self.role = role
        self.was_killed = False
        self._channel = channel
        self._lines = channel.makefile("rw", encoding="utf-8")
        self.pid = int(self._lines.readline())

    @property
    def is_running(self) -> bool:
        """Nothing is said unasked, so what can be read is the end."""
        return not select.select([self._channel], [], [], 0)[0]

    def tell(self, **order: object) -> str | None:
        """What came of it; None when the process has ended, whatever came of it."""
        try:
            print(json.dumps(order), file=self._lines, flush=True)
            return self._lines.readline().removesuffix("\n") if self._answers() else None
        except OSError:
            return None

    def kill(self) -> None:
        """At once; nothing that it does afterwards is seen by anybody."""
        self.was_killed = True
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def tell_to_stop(self) -> None:
        """It finishes what it is at."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)

    def wait(self) -> None:
        """Return when it has ended, by itself or killed."""
        while self._channel.recv(1):
            pass

    def close(self) -> None:
        """End it, if it has not ended."""
        if self.is_running:
            self.kill()
            self.wait()
        with suppress(OSError):
            self._lines.close()
        self._channel.close()

    def _answers(self) -> bool:
        """False when it has ended instead."""
        return bool(self._channel.recv(1, socket.MSG_PEEK))


class Forker:
    """Starts role processes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        self._orders = ours
        self._giving = Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.system.crashing.forking", str(theirs.fileno())],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )

    def start(self, role: Role, *, environment: Mapping[str, str], log_file: Path) -> RoleProcess:
        """Return when it runs."""
        order = {"role": role, "environment": dict(environment), "log_file": str(log_file)}
        ours, theirs = socket.socketpair()
        # Orders are taken one by one: the next one follows when this one's process has said its id.
        with self._giving:
            with theirs:
                socket.send_fds(self._orders, [json.dumps(order).encode()], [theirs.fileno()])
            return RoleProcess(role, ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._orders.close()
        self._process.wait()
