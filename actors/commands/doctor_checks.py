"""What `postonce doctor` finds out about the store, the timing contract and the queue.

A check never raises for what it looks for: that is its finding.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from actors.commands.failures import failure_of
from actors.commands.opening import count_queue, opened_broker
from actors.commands.times import span
from middleware.admission import Finding, check_store
from middleware.errors import LedgerUnavailable
from middleware.store import failing_closed
from middleware.timing import LEASE_PER_DEADLINE, SECOND_MS

if TYPE_CHECKING:
    from actors.settings import Settings
    from middleware.ledger import Ledger
    from middleware.timing import Timing


def check_ledger(ledger: Ledger) -> list[Finding]:
    """The store's own checks, and how long it took to answer; one finding if it did not."""
    try:
        begun_s = time.monotonic()
        with failing_closed():
            ledger.store.client.ping()
        took_ms = round((time.monotonic() - begun_s) * SECOND_MS)
        findings = check_store(ledger.store, ledger.keys)
    except LedgerUnavailable as error:
        remedy = "Start it, or correct POSTONCE_REDIS_URL; deliveries wait until it answers"
        return [Finding("store", "refused", f"cannot be reached: {error}", remedy)]
    return [Finding("store", "good", f"answers after {span(took_ms)}"), *findings]


def check_timing(timing: Timing) -> Finding:
    """Its relations hold, or there would be no ledger; the numbers are worth a look."""
    found = (
        f"lease {span(timing.lease_ms)}, at least {LEASE_PER_DEADLINE} times the post deadline "
        f"of {span(timing.post_deadline_ms)}; settle delay {span(timing.settle_delay_ms)}, "
        f"dispatch window {span(timing.dispatch_window_ms)}"
    )
    return Finding("timing contract", "good", found)


def check_queue(settings: Settings) -> list[Finding]:
    try:
        with opened_broker(settings) as broker:
            counts = count_queue(broker)
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        remedy = "Start it, or correct POSTONCE_BROKER_URL; the sweeper dispatches once it is back"
        return [Finding("queue", "refused", failure.sentences[0], remedy)]
    found = f"answers, {counts.queued} messages"
    return [Finding("queue", "good", found), judge_dead_letters(counts.dead_letters)]


def judge_dead_letters(count: int) -> Finding:
    if not count:
        return Finding("dead letters", "good", "none")
    remedy = (
        "The workers' logs say why; the ledger goes on without them, and "
        "postonce list --status waiting --older-than 10m shows what it has not brought through"
    )
    return Finding("dead letters", "risky", f"Dramatiq has given up {count} messages", remedy)
