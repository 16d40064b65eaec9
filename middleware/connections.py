"""How clients reach the store, so that no command reads the reply of another.

A connection owes the replies that an exception kept from being read, so it is not used again.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

if TYPE_CHECKING:
    from redis.connection import Connection

_CLUSTER_SCHEME = "redis+cluster://"
# Three quick repeats bridge a restart of a proxy; a longer outage is the caller's to wait for.
_REPEATS = 3
# How bytes that are no text are read, and text that no bytes stand for is written.
UNREADABLE = "backslashreplace"
_CONNECTION: dict[str, Any] = {
    "decode_responses": True,
    # What is not UTF-8 would raise for ever where it is read. As `\xff` it can be shown, logged and
    # written again, which surrogates cannot, and is told apart from other bytes, unlike "?".
    "encoding_errors": UNREADABLE,
    "socket_timeout": 5.0,
    "socket_connect_timeout": 2.0,
    "health_check_interval": 30,
    # RESP2 and RESP3 shape stream replies differently; one shape is enough.
    "protocol": 2,
}


def connect(url: str) -> redis.Redis:
    """A client for threads. A cluster's nodes are asked for at once."""
    retry = Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), _REPEATS)
    if url.startswith(_CLUSTER_SCHEME):
        cluster = redis.RedisCluster.from_url(
            _plain(url), retry=retry, connection_pool_class=_Pool, **_CONNECTION
        )
        return cast("redis.Redis", cluster)
    return redis.Redis.from_pool(_Pool.from_url(url, retry=retry, **_CONNECTION))


def connect_async(url: str) -> redis.asyncio.Redis:
    """A client for the running loop. An interrupted coroutine's connection redis-py itself drops:
    it can be interrupted only where it waits for the connection.
    """
    retry = AsyncRetry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), _REPEATS)
    if url.startswith(_CLUSTER_SCHEME):
        cluster = redis.asyncio.RedisCluster.from_url(_plain(url), retry=retry, **_CONNECTION)
        return cast("redis.asyncio.Redis", cluster)
    return redis.asyncio.Redis.from_url(url, retry=retry, **_CONNECTION)


class _Pool(redis.ConnectionPool):
    """Every command, pipeline and handshake gives its connection back here.

    A thread may be interrupted between any two lines, so also between redis-py's sending and its
    reading, which drops the connection only for what happens in the midst of either. Dropping it
    after this would be too late: the last one given back is the next one taken.
    """

    def release(self, connection: Connection) -> None:  # type: ignore[override]
        # Given back in a `finally`: the exception on its way is the one being handled. An error
        # that the server answered has been read.
        if not isinstance(sys.exception(), ResponseError | None):
            connection.disconnect()
        super().release(connection)


def _plain(url: str) -> str:
    return "redis://" + url.removeprefix(_CLUSTER_SCHEME)
