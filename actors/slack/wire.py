"""What one request may do on the wire: asked directly before its first byte, and never after it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from actors.slack.errors import ConnectionStale, PostByPassed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actors.slack.connections import QuietProtocol
    from middleware.post_by import PostBy


@dataclass(slots=True)
class Wire:
    """What one request may do on the wire, and what it has done there."""

    post_by: PostBy
    protocol: QuietProtocol | None = None
    may_have_left: bool = False
    stale: bool = False
    stopped: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Afterwards nothing more can leave, whatever task was left behind."""
        token = WIRE.set(self)
        try:
            yield
        finally:
            WIRE.reset(token)
            self.stopped = True

    def let_out(self) -> None:
        """Called directly before bytes are written."""
        if self.stopped:
            raise PostByPassed
        if self.protocol is None or not self.protocol.is_quiet():
            self.stale = True
            raise ConnectionStale
        # The clock is the last to be asked.
        if self.post_by.passed():
            raise PostByPassed
        self.may_have_left = True
        self.protocol.ask()


# slack_sdk hands nothing of ours to aiohttp, so the hooks find the request's wire here. It has no
# default: a request that does not say until when it may be written is not written.
WIRE: ContextVar[Wire] = ContextVar("wire")
