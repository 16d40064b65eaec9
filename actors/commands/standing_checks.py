"""What `postonce doctor` finds out about who works, and about what stands still or needs a person.

Without a worker or a projector it fails where requests wait for one; else that is only worth a
warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from actors.commands.times import span
from middleware.admission import Finding
from middleware.presence import SILENT_MS, living_workers
from middleware.store import failing_closed
from middleware.timing import SECOND_MS
from projector.stats import stats

if TYPE_CHECKING:
    from middleware.admission import Severity
    from middleware.ledger import Ledger
    from projector.stats import Stats


def check_standing(ledger: Ledger) -> list[Finding]:
    """Raises LedgerUnavailable, and StoreRefused."""
    counted = stats(ledger)
    window_ms = ledger.timing.dispatch_window_ms
    partitions = ledger.keys.partitions
    return [
        judge_workers(ledger.run(living_workers(ledger)), counted),
        judge_projector(_held(ledger), counted, partitions=partitions, window_ms=window_ms),
        judge_due(counted, window_ms=window_ms),
        judge_unproven(counted),
    ]


def judge_workers(living: int, counted: Stats) -> Finding:
    if living:
        found = f"processes that said within {span(SILENT_MS)} that they work: {living}"
        return Finding("workers", "good", found)
    found = f"no process has said within {span(SILENT_MS)} that it works"
    waiting = counted.waiting + counted.claimed + counted.sending + counted.uncertain
    remedy = "Run dramatiq actors.app: without it nothing is sent, looked for or dispatched again"
    if not waiting:
        return Finding("workers", "risky", found, remedy)
    return Finding("workers", "refused", f"{found}, and {waiting} requests wait for one", remedy)


def judge_projector(held: int, counted: Stats, *, partitions: int, window_ms: int) -> Finding:
    """An old lag tells of a projector that is too slow or stuck; a large one that is young passes
    with the burst that made it.
    """
    found = f"{held} of {partitions} partitions are held"
    waited_ms = round(counted.oldest_unfolded_age_s * SECOND_MS)
    if counted.projector_lag:
        found += f", {counted.projector_lag} events are not folded yet, the oldest for"
        found += f" {span(waited_ms)}"
    else:
        found += ", every event is folded"
    if held < partitions:
        is_missed = not held and counted.projector_lag and counted.waiting
        severity: Severity = "refused" if is_missed else "risky"
        remedy = (
            "Run postonce projector: without it requests wait until a worker's sweeper finds them "
            "due, and lists and stats stand still"
        )
        return Finding("projector", severity, found, remedy)
    if waited_ms > window_ms:
        remedy = "Look for errors in the projector's log, or run another one: it does not keep up"
        return Finding("projector", "risky", found, remedy)
    return Finding("projector", "good", found)


def judge_due(counted: Stats, *, window_ms: int) -> Finding:
    """Every sweeper moves what is due on within a second, whatever becomes of its message."""
    overdue_ms = round(counted.oldest_due_age_s * SECOND_MS)
    if overdue_ms <= window_ms:
        return Finding("due", "good", "nothing stands still")
    found = (
        f"the oldest is due for {span(overdue_ms)}, longer than the dispatch window of "
        f"{span(window_ms)}: what is due stands still"
    )
    remedy = (
        "Run dramatiq actors.app, or look in its log for sweep.waits and sweep.failed; "
        "postonce list --status waiting shows what waits"
    )
    return Finding("due", "risky", found, remedy)


def judge_unproven(counted: Stats) -> Finding:
    if not counted.unproven:
        return Finding("unproven", "good", "none")
    remedy = (
        "Run postonce list --status unproven, and postonce explain TENANT ID for each: it says "
        "where to look in Slack, and how to tell what is there"
    )
    return Finding("unproven", "risky", f"{counted.unproven} may be in Slack or not", remedy)


def _held(ledger: Ledger) -> int:
    """How many partitions a projector holds."""
    with failing_closed():
        pipeline = ledger.store.client.pipeline(transaction=False)
        for partition in range(ledger.keys.partitions):
            pipeline.exists(ledger.keys.lease(partition))
        return sum(cast("list[int]", pipeline.execute()))
