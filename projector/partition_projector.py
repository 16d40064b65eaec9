"""One partition of the log: dispatch what was requested, then fold, and go on after any outage.

Right without its lease: two projectors on one partition do some work twice and nothing wrong.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from middleware.errors import LedgerUnavailable, StoreRefused
from projector.dispatching import UNREACHABLE, dispatch
from projector.errors import EventUnreadable
from projector.event_log import read_events
from projector.events import Event, MessageRequested, Outcome
from projector.folding import fold_all, kind_of, read
from projector.partition_lease import PartitionLease
from projector.retention import tell_retention
from projector.trimming import TRIM_EVERY_S, Trimming

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from threading import Event as StopSignal

    from dramatiq import Broker

    from middleware.keys import Delivery
    from middleware.ledger import Ledger
    from projector.event_log import LoggedEvent

log = logging.getLogger(__name__)

# How often one that waits for a partition asks for it, in a lease.
_ASKED_IN_A_LEASE = 4
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_MOST_DOUBLINGS = 10


class PartitionProjector:
    """Holds one partition if nobody else does, and projects it until told to stop."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        partition: int,
        *,
        lease_ms: int,
        block_ms: int,
        dispatchers: Executor | None = None,
        trim_every_s: float = TRIM_EVERY_S,
    ) -> None:
        """Without `dispatchers`, threads to share, it dispatches one message after the other."""
        self._ledger = ledger
        self._broker = broker
        self._partition = partition
        self._lease = PartitionLease(ledger, partition, lease_ms=lease_ms)
        self._trimming = Trimming(ledger, partition, every_s=trim_every_s)
        self._busy_pause_s = lease_ms / 1_000 / _ASKED_IN_A_LEASE
        self._block_ms = block_ms
        self._dispatchers = dispatchers
        self._complained: set[Delivery] = set()
        self._is_holding = False

    def run(self, stopping: StopSignal) -> None:
        """Return soon after the signal, with the batch in hand finished and the lease released."""
        failures = 0
        while not stopping.is_set():
            try:
                held = self._project()
            except (*UNREACHABLE, StoreRefused) as error:
                failures += 1
                self._log_failure(failures, f"cannot use its stores: {kind_of(error)}: {error}")
                stopping.wait(_pause_s(failures))
            except Exception as error:  # noqa: BLE001 - no event may stop its partition for good
                failures += 1
                self._log_failure(failures, f"failed: {kind_of(error)}")
                stopping.wait(_pause_s(failures))
            else:
                if failures:
                    log.info("partition %d goes on", self._partition)
                failures = 0
                if not held:
                    stopping.wait(self._busy_pause_s)
        self._release()

    def _project(self) -> bool:
        """One batch; False when another holds the partition."""
        held = self._lease.hold()
        if held is not None and not self._is_holding:
            # Of use to those who rebuild, and no reason to fold later: in a cluster it is kept on
            # another node.
            with suppress(LedgerUnavailable):
                tell_retention(self._ledger)
        self._is_holding = held is not None
        if held is None:
            return False
        batch = read_events(self._ledger, self._partition, held.position, block_ms=self._block_ms)
        readings = [read(self._ledger, logged) for logged in batch]
        dispatch(
            self._ledger,
            self._broker,
            [(logged, event) for logged, event in readings if isinstance(event, MessageRequested)],
            threads=self._dispatchers,
            complained=self._complained,
        )
        for logged, reading in readings:
            # Before the fold: after a crash an alert may come twice, but it is never lost.
            _alert(logged, reading)
        fold_all(self._ledger, readings, generation=held.generation)
        # Not before: until it is folded, the batch is dispatched again after each failure.
        self._complained.clear()
        self._trimming.step_if_due()
        return True

    def _release(self) -> None:
        try:
            self._lease.release()
        except UNREACHABLE as error:
            log.warning("partition %d waits for its lease to end: %s", self._partition, error)

    def _log_failure(self, failures: int, what: str) -> None:
        # At failures 1, 2, 4, 8 ...: an outage does not fill the log, nor does it fall silent.
        level = logging.DEBUG if failures & (failures - 1) else logging.ERROR
        log.log(level, "partition %d waits and tries again, it %s", self._partition, what)


def _alert(logged: LoggedEvent, reading: Event | EventUnreadable) -> None:
    """Say what a person must know."""
    match reading:
        case EventUnreadable():
            log.critical("quarantined %s %s: %s", logged.stream, logged.id, reading)
        case Outcome(event="late_post" | "duplicate_post"):
            log.critical(
                "%s of %s/%s: Slack has a post that the record contradicts: %s",
                reading.event,
                reading.tenant,
                reading.message_request_id,
                reading.receipt,
            )
        case Outcome(event="unproven"):
            log.error(
                "unproven %s/%s: a person must look whether it was posted: %s",
                reading.tenant,
                reading.message_request_id,
                reading.error,
            )


def _pause_s(failures: int) -> float:
    """Full jitter, so that partitions and processes do not come back all at once."""
    longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(failures, _MOST_DOUBLINGS))
    return secrets.SystemRandom().uniform(_FIRST_PAUSE_S, longest_s)
