"""What `postonce doctor` finds out about the store, the timing contract and the queue.

A check never raises for what it looks for: that is its finding.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from actors.commands.failures import failure_of
from actors.commands.opening import count_queue, opened_broker
from actors.commands.store_troubles import trouble_of
from actors.commands.times import span
from middleware.admission import Finding, check_store
from middleware.errors import LedgerUnavailable
from middleware.store import failing_closed
from middleware.timing import (
    LEASE_PER_DEADLINE,
    MAX_LEASE_MS,
    MAX_POST_DEADLINE_MS,
    SECOND_MS,
)
from projector.errors import SettingsRefused

if TYPE_CHECKING:
    from actors.settings import Settings
    from middleware.ledger import Ledger

NOT_CHECKED = Finding(
    "not checked",
    "risky",
    "what is not told here of workers, projector, due, unproven and slack: it needs the store",
    "Mend the store, then run postonce doctor again",
)


def check_ledger(ledger: Ledger) -> list[Finding]:
    """The store's own checks, and how long it took to answer; one finding if it did not."""
    try:
        begun_s = time.monotonic()
        with failing_closed():
            ledger.store.client.ping()
        took_ms = round((time.monotonic() - begun_s) * SECOND_MS)
        findings = check_store(ledger.store, ledger.keys)
    except LedgerUnavailable as error:
        return [unusable(error)]
    return [Finding("store", "good", f"answers after {span(took_ms)}"), *findings]


def unusable(error: LedgerUnavailable) -> Finding:
    trouble = trouble_of(error, variable="POSTONCE_REDIS_URL")
    remedy = f"{_capitalized(trouble.remedy)}: deliveries wait until then"
    return Finding("store", "refused", trouble.found, remedy)


def check_timing(settings: Settings) -> Finding:
    found = (
        f"lease {_span_s(settings.lease_s)}, post deadline {_span_s(settings.post_deadline_s)}, "
        f"settle delay {_span_s(settings.settle_delay_s)}, "
        f"dispatch window {_span_s(settings.dispatch_window_s)}"
    )
    try:
        settings.timing()
    except SettingsRefused as refused:
        return Finding("timing contract", "refused", found, "; ".join(refused.expectations))
    return Finding("timing contract", "good", found)


def with_timing_that_holds(settings: Settings) -> Settings:
    """With the nearest durations that keep the contract, so that all else can be looked at."""
    longest_s, longest_lease_s = MAX_POST_DEADLINE_MS / SECOND_MS, MAX_LEASE_MS / SECOND_MS
    post_deadline_s = min(settings.post_deadline_s, longest_s)
    # Each is rounded to milliseconds by itself.
    least_s = post_deadline_s * LEASE_PER_DEADLINE + 1 / SECOND_MS
    lease_s = min(max(settings.lease_s, least_s), longest_lease_s)
    return settings.model_copy(update={"post_deadline_s": post_deadline_s, "lease_s": lease_s})


def check_queue(settings: Settings) -> list[Finding]:
    try:
        with opened_broker(settings) as broker:
            counts = count_queue(broker)
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        # Where there is no remedy, the sentence itself says what to do.
        remedy = f"{failure.remedy}: the sweeper dispatches then" if failure.remedy else ""
        found = failure.sentences[0].removeprefix("the queue ")
        return [Finding("queue", "refused", found, _capitalized(remedy))]
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


def _capitalized(words: str) -> str:
    """Leaving names as they are, unlike `str.capitalize`."""
    return words[:1].upper() + words[1:]


def _span_s(length_s: float) -> str:
    return span(round(length_s * SECOND_MS))
