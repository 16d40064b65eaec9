"""`History`: looks for posts of unknown fate; looks at one place at one time share a read.

A read serves every look whose POST could no longer arrive when it began, also those that come
after its end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.slack.sought import Look
from middleware.fates import LookAnswer, NotNow

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.slack.history_reader import Ended, HistoryReader
    from actors.slack.sought import Place, Sought


@dataclass(slots=True)
class _Reading:
    task: asyncio.Task[Ended]
    looks: list[Look]


class History:
    """Used from one event loop at a time; `close` it on that loop.

    `gather_s` is how long a read waits for others that need one. `clock_s` is the reader's.
    """

    def __init__(
        self, reader: HistoryReader, *, gather_s: float, clock_s: Callable[[], float]
    ) -> None:
        self._reader = reader
        self._gather_s = gather_s
        self._clock_s = clock_s
        self._under_way: dict[Place, _Reading] = {}

    async def look(self, sought: Sought, *, within_s: float) -> LookAnswer:
        """Cancelled, or out of time, it leaves what was read to the next look."""
        look = Look(sought, self._clock_s())
        try:
            async with asyncio.timeout(within_s):
                return await self._look(look)
        except TimeoutError:
            return NotNow("history_not_read_in_time")

    async def close(self) -> None:
        tasks = [reading.task for reading in self._under_way.values()]
        self._under_way.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, look: Look) -> LookAnswer:
        while True:
            reading = self._reading(look.sought.place)
            if reading is None:
                known = self._reader.known(look)
                if known is not None:
                    return known
                reading = self._start(look)
            ended = await self._wait(reading, look)
            if ended is None:
                return NotNow("gateway_closed")
            answer = ended.answer(look)
            if answer is not None:
                return answer

    def _reading(self, place: Place) -> _Reading | None:
        """None for one whose event loop ended without `close`, too."""
        reading = self._under_way.get(place)
        if reading is None or reading.task.get_loop() is not asyncio.get_running_loop():
            return None
        return reading

    def _start(self, look: Look) -> _Reading:
        looks: list[Look] = []
        place = look.sought.place
        reading = _Reading(asyncio.create_task(self._read(place, looks)), looks)
        self._under_way[place] = reading
        # However it ends, also before its first step.
        reading.task.add_done_callback(lambda _: self._forget(place, reading))
        return reading

    async def _read(self, place: Place, looks: list[Look]) -> Ended:
        await asyncio.sleep(self._gather_s)
        return await self._reader.read(place, looks)

    async def _wait(self, reading: _Reading, look: Look) -> Ended | None:
        """None if the read was cancelled, which only `close` does while somebody waits."""
        reading.looks.append(look)
        try:
            # What ends this look, a cancellation too, does not end the read for the others.
            await asyncio.wait({reading.task})
        finally:
            reading.looks.remove(look)
            if not reading.looks:
                self._forget(look.sought.place, reading)
                reading.task.cancel()
        return None if reading.task.cancelled() else reading.task.result()

    def _forget(self, place: Place, reading: _Reading) -> None:
        if self._under_way.get(place) is reading:
            del self._under_way[place]
