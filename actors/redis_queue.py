"""A Redis queue whose consumer keeps nothing for itself: what it fetched in vain goes back at once.

Dramatiq's own (2.2) leaves that with a dead worker for a minute, and takes an answer that does not
come for a fault of the program: then it never acknowledges the message.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import redis
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed
from dramatiq.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class RedisQueue(RedisBroker):
    """Dramatiq's Redis broker, but for its consumer."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        return _Consumer(super().consume(queue_name, prefetch, timeout))


class _Consumer(Consumer):
    """Whatever the connection does to it is a ConnectionClosed, which Dramatiq waits out."""

    def __init__(self, inner: Consumer) -> None:
        self._inner = inner

    def __next__(self) -> MessageProxy | None:
        with _lost_connections():
            return next(self._inner)

    def ack(self, message: MessageProxy) -> None:
        with _lost_connections():
            self._inner.ack(message)

    def nack(self, message: MessageProxy) -> None:
        with _lost_connections():
            self._inner.nack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        with _lost_connections():
            self._inner.requeue(messages)

    def close(self) -> None:
        """Hand back what was fetched and not handed out yet."""
        # The name is that of dramatiq 2.2, brokers/redis.py. None: its message is gone.
        cache = cast("list[bytes | None]", self._inner.message_cache)  # type: ignore[attr-defined]
        fetched = [MessageProxy(Message.decode(data)) for data in cache if data is not None]
        cache.clear()
        self.requeue(fetched)
        self._inner.close()


@contextmanager
def _lost_connections() -> Iterator[None]:
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
