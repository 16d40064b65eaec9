"""Commands that coroutines of one event loop issue at the same time share one round trip.

While a batch is on its way the next one gathers, so the batches grow with the load and an idle
loop waits for nobody. A batch that fails leaves every command in it unknown, as one alone would.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import redis.asyncio

Command = tuple[str | bytes, ...]

# Bounds what one failure leaves unknown, and how long the server is kept by one client.
_MOST_IN_A_BATCH = 100


class Batcher:
    """One event loop's way to the store."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._gathered: list[tuple[Command, asyncio.Future[Any]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def execute(self, command: Command) -> Any:  # noqa: ANN401 - as redis-py's
        """The reply; raises what the server or the connection answered this command."""
        answered = asyncio.get_running_loop().create_future()
        self._gathered.append((command, answered))
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
                waiting = [each for each in self._gathered if not each[1].done()]
                batch, self._gathered = waiting[:_MOST_IN_A_BATCH], waiting[_MOST_IN_A_BATCH:]
                if batch:
                    await self._send(batch)
        finally:
            self._sending = None

    async def _send(self, batch: list[tuple[Command, asyncio.Future[Any]]]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for command, _ in batch:
            pipeline.execute_command(*command)
        try:
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, each command's fate is unknown
            replies = [error] * len(batch)
        for (_, answered), reply in zip(batch, replies, strict=True):
            if answered.done():
                continue
            if isinstance(reply, Exception):
                answered.set_exception(reply)
            else:
                answered.set_result(reply)
