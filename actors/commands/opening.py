"""What a command needs is opened for as long as it runs, and a store of no use is refused first."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from actors.commands.failures import QueueUnavailable
from actors.commands.screen import complain
from actors.queue import make_broker
from middleware.errors import LedgerUnavailable
from projector.actor_message import QUEUE_NAME
from projector.queue_counts import queue_counts
from projector.retention import other_retention
from projector.settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dramatiq import Broker

    from actors.settings import Settings
    from middleware.ledger import Ledger
    from projector.queue_counts import QueueCounts


@contextmanager
def opened_ledger(settings: StoreSettings | None = None) -> Iterator[Ledger]:
    """Raise SettingsRefused, LedgerUnavailable or StoreRefused.

    Reading checks the store too: with another number of partitions it would find nothing.
    """
    ledger = (settings or StoreSettings.from_environment()).ledger()
    try:
        ledger.admit()
        yield ledger
    finally:
        ledger.store.close()


@contextmanager
def opened_for_orders() -> Iterator[Ledger]:
    """As `opened_ledger`, with a warning where what an order ends would be forgotten too soon, or
    too late: no reason to refuse an order at night.
    """
    with opened_ledger() as ledger:
        other = other_retention(ledger)
        if other is not None:
            complain(f"postonce: warning: {other}")
        yield ledger


def count_queue(broker: Broker) -> QueueCounts:
    """Raise QueueUnavailable, or QueueNotCountable."""
    try:
        return queue_counts(broker, QUEUE_NAME)
    except LedgerUnavailable as error:
        # Right for a Redis command, but here it was not the ledger's Redis that was asked.
        raise QueueUnavailable(str(error)) from error


@contextmanager
def opened_broker(settings: Settings) -> Iterator[Broker]:
    """The queue, without the actors and their clients."""
    broker = make_broker(settings.queue_url, prefix=settings.prefix)
    try:
        yield broker
    finally:
        broker.close()
