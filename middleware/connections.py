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
# One quick repeat bridges a restart of a proxy; a longer outage is the caller's to wait for.
_REPEATS = 1
_CONNECT_S = 2.0
# Longer than a script takes on a busy server, and than any blocking read may last.
_ANSWER_S = 3.0
# However a server hangs, who asks one command of it is told after this: a connection is made, its
# handshake or the command is not answered, and the same once more after a pause. A coroutine may
# stand behind one batch in flight, and before the first script the store is asked whether it may
# be trusted, so it may be three times that; a cluster asks its other nodes for the layout besides.
_PAUSE_S = 0.5
LONGEST_ANSWER_S = (1 + _REPEATS) * (_CONNECT_S + _ANSWER_S + _PAUSE_S)
# How bytes that are no text are read, and text that no bytes stand for is written.
UNREADABLE = "backslashreplace"
_CONNECTION: dict[str, Any] = {
    "decode_responses": True,
    # What is not UTF-8 would raise for ever where it is read. As `\xff` it can be shown, logged and
    # written again, which surrogates cannot, and is told apart from other bytes, unlike "?".
    "encoding_errors": UNREADABLE,
    "socket_timeout": _ANSWER_S,
    "socket_connect_timeout": _CONNECT_S,
    # It is repeated within what is repeated, so that the two multiply; a connection that was lost
    # in silence costs one repeat all the same.
    "health_check_interval": 0,
    # RESP2 and RESP3 shape stream replies differently; one shape is enough.
    "protocol": 2,
}


def node_of_cluster(url: str) -> str | None:
    """Where one of its nodes is; None when it is no cluster that `url` names."""
    is_cluster = url.startswith(_CLUSTER_SCHEME)
    return "redis://" + url.removeprefix(_CLUSTER_SCHEME) if is_cluster else None


def connect(url: str) -> redis.Redis:
    """The store's client for threads. A cluster's nodes are asked for at once."""
    retry = Retry(ExponentialWithJitterBackoff(base=0.05, cap=_PAUSE_S), _REPEATS)
    return client_for_threads(url, retry=retry, **_CONNECTION)


def client_for_threads(url: str, *, retry: Retry, **options: Any) -> redis.Redis:  # noqa: ANN401 - redis-py's
    """Threads that are interrupted read no other's reply."""
    if node := node_of_cluster(url):
        cluster = redis.RedisCluster.from_url(
            node, retry=retry, connection_pool_class=_Pool, **options
        )
        return cast("redis.Redis", cluster)
    return redis.Redis.from_pool(_Pool.from_url(url, retry=retry, **options))


def connect_async(url: str) -> redis.asyncio.Redis:
    """A client for the running loop. An interrupted coroutine's connection redis-py itself drops:
    it can be interrupted only where it waits for the connection.
    """
    retry = AsyncRetry(ExponentialWithJitterBackoff(base=0.05, cap=_PAUSE_S), _REPEATS)
    if node := node_of_cluster(url):
        cluster = redis.asyncio.RedisCluster.from_url(node, retry=retry, **_CONNECTION)
        return cast("redis.asyncio.Redis", cluster)
    return redis.asyncio.Redis.from_url(url, retry=retry, **_CONNECTION)


def disconnect(client: redis.Redis) -> None:
    """Close its connections; of a cluster's too, whose own `close` leaves them to the collector."""
    if isinstance(client, redis.RedisCluster):
        client.disconnect_connection_pools()
    client.close()


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
