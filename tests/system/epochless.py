"""A ledger with rule 8 taken away: it takes every server for the one that it has known.

So what the rule prevents can be shown. Where the identity is an argument the clock is one too; all
processes of a machine share it with the server.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from middleware.store import Store

if TYPE_CHECKING:
    from middleware.ledger import Ledger

_NOBODY = f"{0:040x}"
_SAME_FOR_EVER = f"1 {1:040x} {_NOBODY}"


def without_epochs(ledger: Ledger) -> Ledger:
    store = Store(ledger.store.url, clock_ms=_now_ms, identity=lambda: _SAME_FOR_EVER)
    return replace(ledger, store=store)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
