from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from actors.slack.history import History
from actors.slack.history_read import HistoryRead
from actors.slack.history_reader import Ended, HistoryReader
from actors.slack.sought import Look, Place, Sought
from middleware.fates import NotNow
from tests.waiting import wait_in_loop_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from middleware.fates import LookAnswer

SOUGHT = Sought(
    place=Place("T1", "C1"), marker="m1", intent_at_ms=0, reconcile_at_ms=70_000, now_ms=70_000
)
STOPPED = NotNow("stopped")


class Standing(HistoryReader):
    """Stands still in the first read; what else is read is stopped at once."""

    def __init__(self, error: Exception | None = None) -> None:
        self.reads = 0
        self._error = error

    def known(self, look: Look) -> None:
        return None

    async def read(self, place: Place, looks: Sequence[Look]) -> Ended:
        self.reads += 1
        if self._error is not None:
            raise self._error
        if self.reads == 1:
            await asyncio.Event().wait()
        read = HistoryRead(
            place=place, thread_ts=None, oldest_ms=0, begun_ms=70_000, begun_s=0.0, gone_on_s=0.0
        )
        return Ended(read, STOPPED)


def history_of(reader: HistoryReader) -> History:
    return History(reader, gather_s=0, clock_s=lambda: 0.0)


def test_a_read_whose_event_loop_stands_still_is_not_waited_for() -> None:
    # Given
    reader = Standing()
    history = history_of(reader)

    async def begin() -> asyncio.Task[LookAnswer]:
        look = asyncio.create_task(history.look(SOUGHT, within_s=10))
        await wait_in_loop_until(lambda: reader.reads, description="it is read")
        return look

    with closing(asyncio.new_event_loop()) as standing:
        look = standing.run_until_complete(begin())

        # When
        answer = asyncio.run(history.look(SOUGHT, within_s=10))

        look.cancel()
        with suppress(asyncio.CancelledError):
            standing.run_until_complete(look)

    # Then
    assert answer == STOPPED


def test_a_read_that_raises_says_so_to_all_who_wait_and_is_not_kept_in_the_way() -> None:
    # Given
    reader = Standing(KeyError("a fault of ours"))
    history = history_of(reader)

    async def look_twice() -> list[object]:
        made = (history.look(SOUGHT, within_s=10) for _ in range(2))
        return list(await asyncio.gather(*made, return_exceptions=True))

    # When
    first = asyncio.run(look_twice())
    with pytest.raises(KeyError):
        asyncio.run(history.look(SOUGHT, within_s=10))

    # Then
    assert [type(each) for each in first] == [KeyError, KeyError]
    assert reader.reads == 2
