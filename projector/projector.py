"""The projector folds the event log and dispatches what it requests; any number may run at once.

Each holds the partitions that nobody else holds, and takes over those of a process that died.
"""

from __future__ import annotations

import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Thread, current_thread, main_thread
from typing import TYPE_CHECKING

from middleware.errors import LedgerUnavailable
from projector.actor_message import ACTOR_NAME
from projector.partition_projector import PartitionProjector
from projector.signal_inbox import SignalInbox

if TYPE_CHECKING:
    from dramatiq import Broker

    from middleware.ledger import Ledger

log = logging.getLogger(__name__)

# How long a dead process's partitions stand still. A batch that takes longer is done twice.
LEASE_MS = 5_000
# Messages on their way to the queue at once, each in two round trips; `make bench` tells whether
# more pays.
DISPATCHERS = 32
# How late a stop is noticed. Well below the store's socket timeout.
BLOCK_MS = 1_000


class Projector:
    """One thread a partition. Raises dramatiq's ActorNotFound when the broker lacks the actor."""

    def __init__(
        self, ledger: Ledger, broker: Broker, *, lease_ms: int = LEASE_MS, block_ms: int = BLOCK_MS
    ) -> None:
        # Without the actor's declaration its options are unknown, and its messages unguarded.
        broker.get_actor(ACTOR_NAME)
        self._ledger = ledger
        self._stopping = Event()
        self._dispatchers = ThreadPoolExecutor(DISPATCHERS, thread_name_prefix="dispatcher")
        self._threads = [
            Thread(
                target=PartitionProjector(
                    ledger,
                    broker,
                    partition,
                    lease_ms=lease_ms,
                    block_ms=block_ms,
                    dispatchers=self._dispatchers,
                ).run,
                args=(self._stopping,),
                name=f"projector-{partition:02d}",
                # A process that must end without `stop` leaves its leases to end by themselves.
                daemon=True,
            )
            for partition in range(ledger.keys.partitions)
        ]

    def start(self) -> None:
        """Once; a stopped projector is not started again."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Return when the batches in hand are finished and the leases released."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._dispatchers.shutdown()

    def run(self) -> None:
        """Work until SIGTERM or Ctrl-C; a second one ends the process at once.

        Raises StoreRefused; a store that does not answer yet is waited for.
        """
        assert current_thread() is main_thread(), "signals reach the main thread only"
        with suppress(LedgerUnavailable):
            self._ledger.admit()
        with SignalInbox((signal.SIGTERM, signal.SIGINT)) as inbox:
            self.start()
            log.info("projecting %d partitions", len(self._threads))
            while not inbox.wait(None):
                # Another signal, of somebody else's.
                pass
        # From here on a signal does again what it did before.
        log.info("stopping")
        self.stop()
