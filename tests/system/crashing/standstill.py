"""Where nothing has happened for long, and nothing is due that could, what is awaited never comes.

So a run that lost something says so soon, and one that waits for a due time is left to wait.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.system.deliveries import TENANT

if TYPE_CHECKING:
    from middleware.ledger import Ledger

# Long against what anybody takes for what is due, a process to start on a busy machine too.
LONGEST_S = 12.0


class Standstill:
    """Begins when it is made."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._until_s = time.monotonic() + LONGEST_S

    def begins_anew(self) -> None:
        """Something has happened."""
        self._until_s = time.monotonic() + LONGEST_S

    def is_for_good(self) -> bool:
        if time.monotonic() < self._until_s:
            return False
        due = self._ledger.run(self._ledger.due_deliveries(TENANT, limit=1))
        if due.next_ms is None:
            return True
        self._until_s = time.monotonic() + (due.next_ms - due.now_ms) / 1_000 + LONGEST_S
        return False
