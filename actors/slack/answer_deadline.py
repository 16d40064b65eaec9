"""A deadline for Slack's answer that is not used up by a standstill of the whole process.

Who goes on after a standstill (SIGSTOP, a paused virtual machine) finds his timers overdue, and
would hang up at once. But he may just have written a POST that another, while he stood, had proven
absent and made again: that is found out by the answer to it, and by nothing else.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from actors.slack.wire import Wire

# A timer is so late only where nothing at all could run. Far below any sensible settle delay,
# before which nobody else posts.
_STANDSTILL_S = 0.5


@asynccontextmanager
async def answer_deadline(within_s: float, wire: Wire) -> AsyncIterator[None]:
    """As `asyncio.timeout`; once more so long after a standstill, if anything may have left."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as timeout:
        due_s = loop.time() + within_s

        def pass_deadline() -> None:
            stood_still = loop.time() - due_s > _STANDSTILL_S
            again_s = within_s if stood_still and wire.may_have_left else 0
            timeout.reschedule(loop.time() + again_s)

        timer = loop.call_at(due_s, pass_deadline)
        try:
            yield
        finally:
            timer.cancel()
