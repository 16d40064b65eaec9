"""What `postonce doctor` finds out about the store, the queue and the processes that use them.

A check never raises for what it looks for: that is its finding.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from dramatiq.brokers.redis import RedisBroker

from actors.commands.failures import failure_of
from actors.commands.opening import count_queue, opened_broker
from actors.commands.times import span
from middleware.admission import Finding, check_store
from middleware.errors import LedgerUnavailable
from middleware.store import failing_closed
from middleware.timing import LEASE_PER_DEADLINE, MINUTE_MS, SECOND_MS
from projector.stats import stats

if TYPE_CHECKING:
    from dramatiq import Broker

    from actors.settings import Settings
    from middleware.ledger import Ledger
    from middleware.timing import Timing

# Dramatiq takes a process that was silent for this long for dead.
_SILENT_MS = MINUTE_MS


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
            about_workers = _check_workers(broker)
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        remedy = "Start it, or correct POSTONCE_BROKER_URL; the sweeper dispatches once it is back"
        return [Finding("queue", "refused", failure.sentences[0], remedy)]
    found = f"answers, {counts.queued} messages and {counts.dead_letters} dead letters"
    return [Finding("queue", "good", found), about_workers]


def check_projector(ledger: Ledger) -> Finding:
    partitions = range(ledger.keys.partitions)
    try:
        with failing_closed():
            pipeline = ledger.store.client.pipeline(transaction=False)
            for partition in partitions:
                pipeline.exists(ledger.keys.lease(partition))
            held = sum(cast("list[int]", pipeline.execute()))
        lag = stats(ledger).projector_lag
    except LedgerUnavailable as error:
        return Finding("projector", "risky", f"not known: {error}", "Run doctor again")
    found = f"{held} of {len(partitions)} partitions are held, {lag} events are not folded yet"
    if held == len(partitions):
        return Finding("projector", "good", found)
    remedy = (
        "Run postonce projector: without it requests wait until the sweeper finds them due, and "
        "lists and stats stand still"
    )
    return Finding("projector", "risky", found, remedy)


def _check_workers(broker: Broker) -> Finding:
    """From the heartbeats of Dramatiq's Redis broker: whoever puts messages there has one too."""
    if not isinstance(broker, RedisBroker):
        return Finding("workers", "good", "not known: this queue does not tell who uses it")
    since_ms = int(time.time() * SECOND_MS) - _SILENT_MS
    # The name of the key is that of dramatiq 2.2, brokers/redis/dispatch.lua.
    heartbeats = f"{broker.namespace}:__heartbeats__"
    count = cast("int", broker.client.zcount(heartbeats, since_ms, "+inf"))
    found = f"processes that used the queue within {span(_SILENT_MS)}: {count}"
    if count:
        return Finding("workers", "good", f"{found}, workers, projectors or services")
    return Finding("workers", "risky", found, "Run dramatiq actors.app: nothing is sent without it")
