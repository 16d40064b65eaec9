"""What can go wrong in the Slack stand-in; a SlackError is what its caller reads as `error`."""

from __future__ import annotations

from sandbox.errors import SandboxError


class SlackError(SandboxError):
    """Slack answers `{"ok": false, "error": code}` with status 200; `details` go along."""

    def __init__(self, code: str, *messages: str, details: dict[str, str] | None = None) -> None:
        """`messages` are what Slack puts into response_metadata, without their "[ERROR]"."""
        super().__init__(code)
        self.code = code
        self.messages = tuple(f"[ERROR] {message}" for message in messages)
        self.details = details or {}


class SlackDidNotStart(SandboxError):
    """The port is taken, or may not be listened on."""

    def __init__(self, *, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host}:{port}: {reason}; choose another --port")
        self.port = port
