"""A connection whose command was interrupted is not used again: its reply is another command's."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import redis
from dramatiq.middleware import TimeLimitExceeded

from middleware.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.cluster import ThreeNodeCluster
    from sandbox.servers import ValkeyProcess

# Much longer than the test holds replies back.
_PAUSE_MS = 60_000


class _Connection(redis.Connection):
    """Does one thing more after each write, before anything is read."""

    then: deque[Callable[[], None]]

    def send_packed_command(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as redis-py's
        # It carries no types.
        send: Callable[..., None] = super().send_packed_command
        send(*args, **kwargs)
        if self.then and self.is_connected:
            self.then.popleft()()


class _Slow:
    """A store, and one of its servers, which answers no write until `answer` is called."""

    def __init__(self, store: Store, server: redis.Redis, key: str) -> None:
        self.client, self.key = store.client, key
        self._server = server

    def hold(self) -> None:
        self._server.client_pause(_PAUSE_MS, all=False)

    def answer(self) -> None:
        self._server.client_unpause()


@pytest.fixture
def slow(valkey: ValkeyProcess, client: redis.Redis, prefix: str) -> Iterator[_Slow]:
    with closing(Store(valkey.url)) as store:
        yield _watched(_Slow(store, client, f"{prefix}:{{p00}}:replies"))


@pytest.fixture
def slow_node(cluster: ThreeNodeCluster, prefix: str) -> Iterator[_Slow]:
    key = f"{prefix}:{{p00}}:replies"
    with closing(Store(cluster.url)) as store:
        nodes: Any = store.client
        port = nodes.get_node_from_key(key).port
        (node,) = (each for each in cluster.nodes if each.port == port)
        with node.client() as server:
            yield _watched(_Slow(store, server, key))


@pytest.fixture(params=["slow", "slow_node"])
def held(request: pytest.FixtureRequest) -> Iterator[_Slow]:
    chosen: _Slow = request.getfixturevalue(request.param)
    chosen.client.expire(chosen.key, 60)
    chosen.hold()
    yield chosen
    chosen.answer()
    chosen.client.delete(chosen.key)
