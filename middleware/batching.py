"""Commands that coroutines of one event loop issue at the same time share one round trip.

While a batch is on its way the next one gathers, so the batches grow with the load and an idle
loop waits for nobody. A batch that fails leaves every command in it unknown, as one alone would.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from middleware.errors import ReplicasBehind
from middleware.replicas import refuse_few, waiting_for

if TYPE_CHECKING:
    import redis.asyncio

Command = tuple[str | bytes | int, ...]

# Bounds what one failure leaves unknown, and how long the server is kept by one client.
_MOST_IN_A_BATCH = 100


@dataclass(frozen=True, slots=True)
class _Asked:
    command: Command
    replicas: int
    answered: asyncio.Future[Any]


class Batcher:
    """One event loop's way to the store."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._gathered: list[_Asked] = []
        self._sending: asyncio.Task[None] | None = None

    async def execute(
        self,
        command: Command,
        *,
        replicas: int,
    ) -> Any:  # noqa: ANN401 - as redis-py's
        """The reply; raises what the server or the connection answered this command, and
        ReplicasBehind.
        """
        answered = asyncio.get_running_loop().create_future()
        self._gathered.append(_Asked(command, replicas, answered))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        return await answered

    async def aclose(self) -> None:
        if self._sending is not None:
            await self._sending
        await self._client.aclose()

    async def _send_all(self) -> None:
        try:
            while self._gathered:
                # Whoever was cancelled by now takes it that nothing was asked.
                waiting = [each for each in self._gathered if not each.answered.done()]
                batch, self._gathered = waiting[:_MOST_IN_A_BATCH], waiting[_MOST_IN_A_BATCH:]
                if batch:
                    await self._send(batch)
        finally:
            self._sending = None

    async def _send(self, batch: list[_Asked]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for asked in batch:
            pipeline.execute_command(*asked.command)
        replicas = max(asked.replicas for asked in batch)
        if replicas:
            pipeline.execute_command(*waiting_for(replicas))
        try:
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, each command's fate is unknown
            replies = [error] * (len(batch) + 1)
        count = replies.pop() if replicas else 0
        for asked, reply in zip(batch, replies, strict=False):
            if not asked.answered.done():
                _answer(asked, reply, count)


def _answer(asked: _Asked, reply: object, count: object) -> None:
    if isinstance(reply, Exception):
        asked.answered.set_exception(reply)
        return
    try:
        refuse_few(count, asked.replicas)
    except ReplicasBehind as behind:
        asked.answered.set_exception(behind)
    else:
        asked.answered.set_result(reply)
