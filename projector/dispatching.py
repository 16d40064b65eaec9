"""Each requested message is put on the queue before its event is folded, so a crash loses neither.

Done again, it is the same message: its id comes from the event, and the ledger knows it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from dramatiq.errors import BrokerConnectionError
from redis.exceptions import RedisError

from middleware.errors import (
    DelayRefused,
    DispatchRefused,
    LedgerUnavailable,
    PayloadRefused,
    ThreadConflict,
)
from middleware.keys import Delivery
from projector.actor_message import actor_message
from projector.data_faults import is_of_the_data

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Executor

    from dramatiq import Broker

    from middleware.ledger import Ledger
    from projector.event_log import LoggedEvent
    from projector.events import MessageRequested

log = logging.getLogger(__name__)

# What passes by waiting: the store, or the queue, cannot be reached or does not take anything.
UNREACHABLE = (LedgerUnavailable, BrokerConnectionError, RedisError, OSError)

# What waiting does not change: as the broker is set up, or the record stands, it is never sent.
_FOR_GOOD = (DelayRefused, PayloadRefused, ThreadConflict)

_RANKS = ("high", "normal", "low")


def dispatch(
    ledger: Ledger,
    broker: Broker,
    requested: Iterable[tuple[LoggedEvent, MessageRequested]],
    *,
    threads: Executor | None,
    complained: set[Delivery],
) -> None:
    """High before normal before low, and within each nearly in the log's order; quite so without
    `threads`, which let several wait for the store and the queue at once.

    Raises one of UNREACHABLE when the queue or the ledger is: nothing is known of the rest then,
    and dispatching all of it again is safe. Whatever else fails is left to the sweeper, and logged
    once while `complained` holds its delivery.
    """
    map_each = map if threads is None else threads.map
    everything = list(requested)
    for rank in _RANKS:
        pairs = [pair for pair in everything if pair[1].request.priority == rank]
        complaints = map_each(lambda pair: _dispatch_one(ledger, broker, *pair), pairs)
        for (_, event), complaint in zip(pairs, complaints, strict=True):
            delivery = Delivery(event.tenant, event.message_request_id)
            if complaint is not None and delivery not in complained:
                complained.add(delivery)
                log.error("cannot dispatch %s: %s", delivery, complaint)


def message_id_of(ledger: Ledger, logged: LoggedEvent) -> str:
    """The same for each reading of the event, and another for each event."""
    return str(uuid5(NAMESPACE_URL, f"{ledger.keys.requests(logged.partition)}/{logged.id}"))


def _dispatch_one(
    ledger: Ledger, broker: Broker, logged: LoggedEvent, event: MessageRequested
) -> str | None:
    """None unless a person should know why it was not dispatched."""
    delivery = Delivery(event.tenant, event.message_request_id)
    message = actor_message(
        delivery,
        thread_ts=event.request.thread_ts,
        message_id=message_id_of(ledger, logged),
    )
    try:
        broker.enqueue(message)
    except _FOR_GOOD as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    except DispatchRefused as refusal:
        # Normal: it is not due yet, or it was dispatched or has ended before this reading.
        log.debug("not dispatched: %s: %s", delivery, refusal)
    except LedgerUnavailable as error:
        if not is_of_the_data(error):
            raise
        return f"its record cannot be read, the sweeper tries again: {error}"
    except UNREACHABLE:
        raise
    except Exception as error:  # noqa: BLE001 - fate "did not happen": the record stays due
        return f"the sweeper tries again: {type(error).__name__}"
    return None
