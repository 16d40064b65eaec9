"""A Redis queue whose consumer keeps nothing for itself: what it fetched in vain goes back at once.

Dramatiq's own (2.2) leaves that with a dead worker for a minute, and takes an answer that does not
come for a fault of the program: then it never acknowledges the message. Here acknowledgements wait
for the next fetch, all in one round trip: one that gets lost repeats a message, which the ledger
refuses.
"""

from __future__ import annotations

from collections import defaultdict, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed, DecodeError
from dramatiq.message import Message
from redis.exceptions import RedisClusterException, RedisError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class RedisQueue(RedisBroker):
    """Dramatiq's Redis broker, but for its consumer and what a lost connection raises."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - dramatiq's own
        super().__init__(**options)  # type: ignore[no-untyped-call]  # as above
        # By queue, and not by consumer: a consumer that lost its connection is replaced.
        self._acknowledged: defaultdict[str, deque[str]] = defaultdict(deque)

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Raise ConnectionClosed, as other brokers do, when it is not known to be enqueued."""
        with _lost_connections():
            return super().enqueue(message, delay=delay)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        return _Consumer(self, super().consume(queue_name, prefetch, timeout), queue_name)

    def acknowledge_later(self, queue_name: str, redis_message_id: str) -> None:
        self._acknowledged[queue_name].append(redis_message_id)

    def acknowledge(self, queue_name: str) -> None:
        """Remove what was worked on since the last time. The key names are dramatiq 2.2's."""
        waiting = self._acknowledged[queue_name]
        ids = list(waiting)
        if not ids:
            return
        pipeline = self.client.pipeline(transaction=False)
        pipeline.srem(f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}", *ids)
        pipeline.hdel(f"{self.namespace}:{queue_name}.msgs", *ids)
        pipeline.execute()
        for _ in ids:
            waiting.popleft()


class _Consumer(Consumer):
    """Whatever the store does to it is a ConnectionClosed, which Dramatiq waits out.

    By anything else that closing raises, Dramatiq's thread would end, and consume nothing more.
    """

    def __init__(self, queue: RedisQueue, inner: Consumer, queue_name: str) -> None:
        self._queue = queue
        # Its names are those of dramatiq 2.2, brokers/redis.py.
        self._inner: Any = inner
        self._queue_name = queue_name

    def __next__(self) -> MessageProxy | None:
        with _lost_connections():
            if not self._inner.message_cache:
                self._queue.acknowledge(self._queue_name)
            message: MessageProxy | None = next(self._inner)
            return message

    def ack(self, message: MessageProxy) -> None:
        self._queue.acknowledge_later(self._queue_name, message.options["redis_message_id"])
        self._inner.queued_message_ids.discard(message.message_id)

    def nack(self, message: MessageProxy) -> None:
        with _lost_connections():
            self._inner.nack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        with _lost_connections():
            self._inner.requeue(messages)

    def close(self) -> None:
        """Hand back what was fetched and not handed out yet."""
        with _lost_connections():
            self._queue.acknowledge(self._queue_name)
        cache: list[bytes | None] = self._inner.message_cache
        fetched = [message for data in cache if (message := _read(data)) is not None]
        cache.clear()
        self.requeue(fetched)
        self._inner.close()


def _read(data: bytes | None) -> MessageProxy | None:
    """None for a message that is gone, or that nobody can read."""
    if data is None:
        return None
    try:
        return MessageProxy(Message.decode(data))
    except DecodeError:
        return None


@contextmanager
def _lost_connections() -> Iterator[None]:
    try:
        yield
    except (RedisError, RedisClusterException, OSError) as error:
        # A store that answers and refuses (read-only after a failover, full) may change its mind.
        raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
