"""Receipts whose holder was interrupted before the ledger took them; the process goes on telling.

Where the history cannot be read nothing else proves the post, so it must not end with the actor's
time limit, or with an error that nobody foresaw. It ends with the process.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from middleware.errors import UNHEARD

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.answers import SentAnswer
    from middleware.script import Call

log = logging.getLogger(__name__)


class ReceiptsInHand:
    """Filled by any thread or coroutine; told by the sweeper."""

    def __init__(self) -> None:
        self._kept: deque[Call[SentAnswer]] = deque()

    def keep(self, call: Call[SentAnswer]) -> None:
        self._kept.append(call)

    def tell(self, run: Callable[[Call[SentAnswer]], SentAnswer]) -> None:
        """Until the ledger has taken each, or does not answer; then the rest waits."""
        for _ in range(len(self._kept)):
            call = self._kept.popleft()
            try:
                answer = run(call)
            except UNHEARD:
                self._kept.appendleft(call)
                return
            except Exception as error:  # noqa: BLE001 - what it says is told; the others go on
                self._kept.append(call)
                log.error("receipt.not_taken error=%s", type(error).__name__)
            else:
                log.warning("receipt.taken answer=%s", answer)
