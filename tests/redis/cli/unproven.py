"""A request of which nobody can tell whether it was posted, brought there in no time."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from tests.redis.projector.asking import ask, claim

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGET = {"team": "T0123ABCD", "channel": "C0123ABCD", "thread_ts": "1700000000.000100"}


def end_unproven(ledger: Ledger, name: str = "r1", *, target: Mapping[str, str] = TARGET) -> str:
    """`acme/NAME` may have been posted; the token is that of the claim that looked."""
    clock = ManualClock()
    with closing(Store(ledger.store.url, clock_ms=clock)) as store:
        moved_on = Ledger(store, ledger.keys, ledger.timing)
        delivery = ask(moved_on, name)
        token = claim(moved_on, delivery)
        moved_on.run(moved_on.intend(delivery, token=token, target=target))
        moved_on.run(moved_on.doubt(delivery, token=token, why="TimeoutError"))
        clock.advance(ms=ledger.timing.post_deadline_ms + ledger.timing.settle_delay_ms)
        token = claim(moved_on, delivery)
        moved_on.run(
            moved_on.give_up(delivery, token=token, error="missing_scope", reason="Look there.")
        )
    return token
