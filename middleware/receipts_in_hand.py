"""Receipts whose holder was interrupted before the ledger took them; the process goes on telling.

Where the history cannot be read nothing else proves the post, so it must not end with the actor's
time limit, or with an error that nobody foresaw. It ends with the worker, which tells it once more.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from middleware.errors import UNHEARD, LedgerUnavailable
from middleware.outages import reaches_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.answers import SentAnswer
    from middleware.script import Call
    from middleware.store import Store

    Run = Callable[[Call[SentAnswer]], SentAnswer]

log = logging.getLogger(__name__)


class ReceiptsInHand:
    """Filled by any thread or coroutine; told by the sweeper, and when the worker ends."""

    def __init__(self) -> None:
        self._kept: deque[Call[SentAnswer]] = deque()

    def keep(self, call: Call[SentAnswer]) -> None:
        self._kept.append(call)

    def tell(self, run: Run, store: Store) -> None:
        """Each of them once, until the store answers nobody; what is not taken is kept."""
        # Another sweeper may tell one meanwhile.
        with suppress(IndexError):
            for _ in range(len(self._kept)):
                call = self._kept.popleft()
                if not self._is_told(call, run, store):
                    return

    def _is_told(self, call: Call[SentAnswer], run: Run, store: Store) -> bool:
        """False when nothing else can be told either."""
        try:
            answer = run(call)
        except UNHEARD as error:
            self._kept.append(call)
            log.warning("receipt.not_taken error=%s", error)
            return isinstance(error, LedgerUnavailable) and not reaches_all(store, error)
        except Exception as error:  # noqa: BLE001 - what it says is told; the others go on
            self._kept.append(call)
            log.error("receipt.not_taken error=%s", type(error).__name__)
        else:
            log.warning("receipt.taken answer=%s", answer)
        return True
