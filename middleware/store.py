"""Runs script calls on Redis, from threads and from event loops, and fails closed.

Every failure of the store is `LedgerUnavailable`: the caller knows that it knows nothing. Scripts
may run twice when a reply is lost (the client repeats them), so each is idempotent for its token.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast

from redis.exceptions import DataError, NoScriptError, RedisClusterException, RedisError

from middleware.batching import Batcher, Command
from middleware.connections import UNREADABLE, connect, connect_async, disconnect, node_of_cluster
from middleware.errors import LedgerUnavailable
from middleware.replicas import refuse_few, waiting_for
from middleware.script import Call, Reply, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import redis
    import redis.asyncio

T = TypeVar("T")

_EPOCH_CHANGED = ["epoch_changed"]


class EpochChanged(Exception):
    """The server is not the one that the ledger knows, or not with the same past: nothing was
    written, and the call is to be asked again once that is settled.
    """


class Store:
    """One Redis (or Redis Cluster) behind a URL; connects when first used."""

    def __init__(
        self,
        url: str,
        *,
        clock_ms: Callable[[], int] | None = None,
        identity: Callable[[], str] | None = None,
    ) -> None:
        """For tests only, `clock_ms` replaces the server's clock in scripts, and `identity` with it
        what the server says of itself: run id, replication id, and the one it followed.
        """
        assert identity is None or clock_ms is not None
        self.url = url
        self._clock_ms = clock_ms
        self._identity = identity
        self._client: redis.Redis | None = None
        self._connecting = Lock()
        self._batching = Lock()
        self._batchers: dict[asyncio.AbstractEventLoop, Batcher] = {}

    @property
    def client(self) -> redis.Redis:
        """For threads: it is safe to share. A cluster's nodes are asked for when it is made."""
        with self._connecting:
            if self._client is None:
                with failing_closed():
                    self._client = self._connect()
            return self._client

    @property
    def is_cluster(self) -> bool:
        """Some of its nodes may answer where others do not."""
        return node_of_cluster(self.url) is not None

    def run(self, call: Call[T]) -> T:
        """Raises EpochChanged; and ReplicasBehind, when the script has run all the same."""
        with failing_closed():
            try:
                reply = self._execute(self._by_digest(call), call.replicas)
            except NoScriptError:
                reply = self._execute(self._by_body(call), call.replicas)
        return _decoded(call, reply)

    async def arun(self, call: Call[T]) -> T:
        """As `run`."""
        with failing_closed():
            batcher = self._batcher()
            try:
                reply = await batcher.execute(self._by_digest(call), replicas=call.replicas)
            except NoScriptError:
                reply = await batcher.execute(self._by_body(call), replicas=call.replicas)
        return _decoded(call, reply)

    def run_many(self, calls: Sequence[Call[T]]) -> list[T]:
        """All in one round trip a node, in order within a slot; but a call whose script the server
        does not know comes after the others.

        Raises LedgerUnavailable if any call failed, and EpochChanged; the others may have run all
        the same. Raises ReplicasBehind when all have run.
        """
        if not calls:
            return []
        with failing_closed():
            replicas = max(call.replicas for call in calls)
            replies, count = self._execute_all(map(self._by_digest, calls), replicas)
            counts = [count]
            unknown = [at for at, each in enumerate(replies) if isinstance(each, NoScriptError)]
            if unknown:
                bodies = [self._by_body(calls[at]) for at in unknown]
                again, count = self._execute_all(bodies, replicas)
                # Maybe on another connection, so each WAIT speaks for its own writes only.
                counts.append(count)
                for at, reply in zip(unknown, again, strict=True):
                    replies[at] = reply
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
            for count in counts:
                refuse_few(count, replicas)
        return [_decoded(call, reply) for call, reply in zip(calls, replies, strict=True)]

    def close(self) -> None:
        if self._client is not None:
            disconnect(self._client)
            self._client = None

    async def aclose(self) -> None:
        """Close the connections of the running loop, which must be done before the loop ends."""
        with self._batching:
            batcher = self._batchers.pop(asyncio.get_running_loop(), None)
        if batcher is not None:
            await batcher.aclose()

    def _batcher(self) -> Batcher:
        """One for each event loop: asyncio connections cannot change loops."""
        loop = asyncio.get_running_loop()
        batcher = self._batchers.get(loop)
        if batcher is None:
            batcher = Batcher(self._connect_async())
            with self._batching:
                # A batcher refers to its loop, so weak references would free neither.
                open_ones = {of: each for of, each in self._batchers.items() if not of.is_closed()}
                self._batchers = {**open_ones, loop: batcher}
        return batcher

    def _execute(self, command: Command, replicas: int) -> object:
        if not replicas:
            return self.client.execute_command(*command)
        pipeline = self.client.pipeline(transaction=False)
        pipeline.execute_command(*command)
        pipeline.execute_command(*waiting_for(replicas))
        reply, count = pipeline.execute()
        refuse_few(count, replicas)
        return reply

    def _execute_all(
        self, commands: Iterable[Command], replicas: int
    ) -> tuple[list[object], object]:
        """Their replies, errors among them, and what WAIT replied."""
        pipeline = self.client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        if replicas:
            pipeline.execute_command(*waiting_for(replicas))
        replies = pipeline.execute(raise_on_error=False)
        return replies, replies.pop() if replicas else 0

    def _connect(self) -> redis.Redis:
        return connect(self.url)

    def _connect_async(self) -> redis.asyncio.Redis:
        return connect_async(self.url)

    def _by_digest(self, call: Call[T]) -> Command:
        return ("EVALSHA", digest(self._body(call)).encode(), *self._operands(call))

    def _by_body(self, call: Call[T]) -> Command:
        return ("EVAL", self._body(call).encode(), *self._operands(call))

    def _body(self, call: Call[T]) -> str:
        return call.script.body(
            clock_is_argument=self._clock_ms is not None,
            identity_is_argument=self._identity is not None,
        )

    def _operands(self, call: Call[T]) -> Command:
        told = [each() for each in (self._identity, self._clock_ms) if each is not None]
        # A key that is altered would name another delivery, so it raises UnicodeEncodeError.
        keys = (key.encode() for key in call.keys)
        return (b"%d" % len(call.keys), *keys, *map(_encoded, (*call.arguments, *told)))


def _decoded(call: Call[T], reply: object) -> T:
    if reply == _EPOCH_CHANGED:
        raise EpochChanged
    return call.decode(cast("Reply", reply))


def _encoded(argument: str | int) -> bytes:
    """Never fails for text. In JSON half of a surrogate pair becomes the escape that stands for it,
    and in a reason of the provider's it must not keep a POST from being settled.
    """
    return b"%d" % argument if isinstance(argument, int) else argument.encode(errors=UNREADABLE)


@contextmanager
def failing_closed() -> Iterator[None]:
    """Turn every failure of the store into LedgerUnavailable.

    What cannot be said to any store raises as it is: who asks again would ask for ever.
    """
    try:
        yield
    except DataError:
        raise
    # A cluster that cannot be asked is no RedisError to the client.
    except (RedisError, RedisClusterException, OSError) as error:
        raise LedgerUnavailable(str(error)) from error
