"""How many messages the queue holds, as its broker counts them; the ledger does not know.

The queue is a hint, so these numbers inform a person and decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

from middleware.store import failing_closed
from projector.errors import QueueNotCountable

if TYPE_CHECKING:
    from dramatiq import Broker


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """`queued` counts messages that workers have fetched and not acknowledged too."""

    queued: int
    dead_letters: int


def queue_counts(broker: Broker, queue_name: str) -> QueueCounts:
    """Raise LedgerUnavailable when a Redis queue does not answer, QueueNotCountable for others."""
    match broker:
        case RedisBroker():
            # The names of its keys are those of dramatiq 2.2, brokers/redis/dispatch.lua.
            queue = f"{broker.namespace}:{queue_name}"
            with failing_closed():
                queued = cast("int", broker.client.hlen(f"{queue}.msgs"))
                dead_letters = cast("int", broker.client.zcard(f"{queue}.XQ"))
            return QueueCounts(queued, dead_letters)
        case StubBroker():
            queued = broker.queues[queue_name].unfinished_tasks
            return QueueCounts(queued, len(broker.dead_letters_by_queue[queue_name]))
        case _CountsItself():
            queued, _delayed, dead_letters = broker.get_queue_message_counts(queue_name)
            return QueueCounts(queued, dead_letters)
        case _:
            raise QueueNotCountable(type(broker).__name__)


@runtime_checkable
class _CountsItself(Protocol):
    """RabbitmqBroker, without importing it: its driver may not be installed."""

    def get_queue_message_counts(self, queue_name: str) -> tuple[int, int, int]: ...
