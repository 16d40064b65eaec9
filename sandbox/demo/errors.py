"""Why the demo shows nothing; each says what to look at."""

from __future__ import annotations

from sandbox.errors import SandboxError


class ProcessEnded(SandboxError):
    """A process ended that should have run on; `log` holds its last words."""

    def __init__(self, name: str, *, exit_code: int, log: str) -> None:
        super().__init__(f"{name} ended with exit code {exit_code}; its log ends with:\n{log}")
        self.name = name
        self.exit_code = exit_code
        self.log = log


class NothingWasSending(SandboxError):
    """No worker could be killed while it was sending, so the demo proves nothing."""


class NotStartedAgain(SandboxError):
    """The supervisor did not start another worker for the one that was killed."""


class NothingIsPosted(SandboxError):
    """The workers run and settle next to nothing; the sentence tells of one request why."""
