"""A connection whose command was interrupted is not used again: its reply is another command's."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import redis
from dramatiq.middleware import TimeLimitExceeded

from actors.queue import make_broker
from middleware.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.cluster import ThreeNodeCluster
    from sandbox.servers import ValkeyProcess

# Much longer than a test holds replies back.
_HELD_MS = 60_000

Ask = Callable[[redis.Redis, tuple[str, ...]], object]


class _Connection(redis.Connection):
    """Does one thing more after each write, before anything is read."""

    then: ClassVar[deque[Callable[[], None]]] = deque()

    def send_packed_command(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as redis-py's
        # It carries no types.
        send: Callable[..., None] = super().send_packed_command
        send(*args, **kwargs)
        if self.then:
            self.then.popleft()()


class _Slow:
    """A store's client, and the server of `key`, which answers no write until it is told to."""

    def __init__(
        self, client: redis.Redis, pool: redis.ConnectionPool, server: redis.Redis, key: str
    ) -> None:
        self.client, self.key, self._server = client, key, server
        # Those that are open are of redis-py's own class.
        pool.disconnect()
        pool.reset()
        pool.connection_class = _Connection
        client.exists(key)

    def hold(self) -> None:
        self._server.client_pause(_HELD_MS, all=False)

    def answer(self) -> None:
        self._server.client_unpause()


@pytest.fixture
def server(valkey: ValkeyProcess, client: redis.Redis, prefix: str) -> Iterator[_Slow]:
    with closing(Store(valkey.url)) as store:
        yield _Slow(store.client, store.client.connection_pool, client, f"{prefix}:key")


@pytest.fixture
def node(cluster: ThreeNodeCluster, prefix: str) -> Iterator[_Slow]:
    key = f"{prefix}:key"
    with closing(Store(cluster.url)) as store:
        nodes: Any = store.client
        of_key = nodes.get_node_from_key(key)
        (server,) = (each for each in cluster.nodes if each.port == of_key.port)
        with server.client() as direct:
            pool = nodes.get_redis_connection(of_key).connection_pool
            yield _Slow(store.client, pool, direct, key)


@pytest.fixture
def queue(valkey: ValkeyProcess, client: redis.Redis, prefix: str) -> Iterator[_Slow]:
    broker: Any = make_broker(valkey.url, prefix=prefix)
    with closing(broker.client) as asked:
        yield _Slow(asked, asked.connection_pool, client, f"{prefix}:key")


@pytest.fixture(params=["server", "node", "queue"])
def slow(request: pytest.FixtureRequest) -> Iterator[_Slow]:
    chosen: _Slow = request.getfixturevalue(request.param)
    chosen.hold()
    yield chosen
    _Connection.then.clear()
    chosen.answer()
    chosen.client.delete(chosen.key)


def _alone(client: redis.Redis, command: tuple[str, ...]) -> object:
    return client.execute_command(*command)


def _in_a_pipeline(client: redis.Redis, command: tuple[str, ...]) -> object:
    pipeline = client.pipeline(transaction=False)
    pipeline.execute_command(*command)
    return pipeline.execute()[0]


def _interrupt() -> None:
    raise TimeLimitExceeded


@pytest.mark.parametrize("ask", [_alone, _in_a_pipeline])
def test_after_an_interrupt_no_command_reads_anothers_reply(slow: _Slow, ask: Ask) -> None:
    # Given
    _Connection.then += [_interrupt, slow.answer]
    with pytest.raises(TimeLimitExceeded):
        ask(slow.client, ("DEL", slow.key))

    # When
    answer = ask(slow.client, ("SET", slow.key, "value", "PX", str(_HELD_MS)))

    # Then
    assert answer is True
