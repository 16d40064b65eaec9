"""Each requested message is put on the queue before its event is folded, so a crash loses neither.

Done again, it is the same message: its id comes from the event, and the ledger knows it.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from dramatiq.errors import BrokerConnectionError
from redis.exceptions import RedisError

from middleware.errors import DispatchRefused, LedgerUnavailable
from middleware.keys import Delivery
from projector.actor_message import actor_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dramatiq import Broker

    from middleware.ledger import Ledger
    from projector.event_log import LoggedEvent
    from projector.events import MessageRequested

log = logging.getLogger(__name__)

# What passes by waiting: the store, or the queue, cannot be reached or does not take anything.
UNREACHABLE = (LedgerUnavailable, BrokerConnectionError, RedisError, OSError)

# Enough to share the server's flushes to disk, few enough to keep the log's order nearly.
_AT_ONCE = 8
_RANKS = ("high", "normal", "low")


class Dispatcher:
    """Several messages on their way to the queue at once: each waits for two round trips."""

    def __init__(self, ledger: Ledger, broker: Broker) -> None:
        self._ledger = ledger
        self._broker = broker
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="dispatcher")

    def dispatch(self, requested: Iterable[tuple[LoggedEvent, MessageRequested]]) -> None:
        """All high before any normal before any low, nearly in the log's order within each.

        Raises one of UNREACHABLE when the queue or the ledger is: nothing is known of the rest
        then, and dispatching all of it again is safe. What else fails is left to the sweeper.
        """
        by_rank: dict[str, list[tuple[LoggedEvent, MessageRequested]]] = {
            rank: [] for rank in _RANKS
        }
        for logged, event in requested:
            by_rank[event.request.priority].append((logged, event))
        for pairs in by_rank.values():
            for _ in self._threads.map(lambda pair: self._dispatch_one(*pair), pairs):
                pass

    def close(self) -> None:
        """Return when nothing is on its way any more."""
        self._threads.shutdown()

    def _dispatch_one(self, logged: LoggedEvent, event: MessageRequested) -> None:
        delivery = Delivery(event.tenant, event.message_request_id)
        message = actor_message(
            delivery,
            thread_ts=event.request.thread_ts,
            message_id=message_id_of(self._ledger, logged),
        )
        try:
            self._broker.enqueue(message)
        except DispatchRefused as refusal:
            # Normal: it is not due yet, or it was dispatched or has ended before this reading.
            log.debug("not dispatched: %s: %s", delivery, refusal)
        except UNREACHABLE:
            raise
        except Exception as error:  # noqa: BLE001 - fate "did not happen": the record stays due
            kind = type(error).__name__
            log.error("cannot dispatch %s now, the sweeper will: %s", delivery, kind)


def message_id_of(ledger: Ledger, logged: LoggedEvent) -> str:
    """The same for each reading of the event, and another for each event."""
    return str(uuid5(NAMESPACE_URL, f"{ledger.keys.requests(logged.partition)}/{logged.id}"))
