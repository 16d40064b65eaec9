"""A server that accepts connections and answers nothing keeps nobody longer than it is said to."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from middleware.connections import LONGEST_ANSWER_S
from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import SECOND_MS, Timing
from sandbox.servers import ValkeyProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

# More than there are threads in an event loop's own pool, so that a queue would be seen.
CALLERS = 40
# In a queue they take as often as long as one alone; told together, hardly longer than it.
FEW = CALLERS // 4
R1 = Delivery("acme", "r1")


@pytest.fixture
def server() -> Iterator[ValkeyProcess]:
    with ValkeyProcess() as started:
        yield started


@pytest.fixture
def hanging(server: ValkeyProcess) -> Iterator[Ledger]:
    """Its store was never asked, and has less patience than in production."""
    server.pause()
    with closing(Store(f"{server.url}?socket_timeout=0.2")) as store:
        yield Ledger(store, Keys(), Timing())


@pytest.fixture
def alone_s(hanging: Ledger) -> float:
    """How long one caller waits."""
    since_s = monotonic()
    with pytest.raises(LedgerUnavailable):
        hanging.run(hanging.cancel(R1))
    return monotonic() - since_s


def test_the_bound_leaves_time_to_post_and_to_settle_within_a_lease() -> None:
    # Given
    timing = Timing()

    # When
    posted_and_answered_ms = timing.post_deadline_ms + LONGEST_ANSWER_S * SECOND_MS

    # Then
    assert posted_and_answered_ms < timing.lease_ms


def test_who_asks_on_an_open_connection_is_told_within_the_bound(server: ValkeyProcess) -> None:
    # Given
    with closing(Store(server.url)) as store, ThreadPoolExecutor() as threads:
        ledger = Ledger(store, Keys(), Timing())
        ledger.run(ledger.cancel(R1))
        server.pause()

        # When
        asking = threads.submit(ledger.run, ledger.cancel(R1))

        # Then
        assert isinstance(asking.exception(timeout=LONGEST_ANSWER_S), LedgerUnavailable)


def test_threads_that_ask_first_are_told_together(hanging: Ledger, alone_s: float) -> None:
    # Given
    since_s = monotonic()

    # When
    with ThreadPoolExecutor(CALLERS) as threads:
        asking = [threads.submit(hanging.run, hanging.cancel(R1)) for _ in range(CALLERS)]

    # Then
    assert {type(each.exception()) for each in asking} == {LedgerUnavailable}
    assert monotonic() - since_s < FEW * alone_s


def test_coroutines_that_ask_first_are_told_together(hanging: Ledger, alone_s: float) -> None:
    # Given
    since_s = monotonic()

    # When
    async def ask_at_once() -> list[object]:
        asking = (hanging.arun(hanging.cancel(R1)) for _ in range(CALLERS))
        return [*await asyncio.gather(*asking, return_exceptions=True)]

    answers = asyncio.run(ask_at_once())

    # Then
    assert {type(each) for each in answers} == {LedgerUnavailable}
    assert monotonic() - since_s < FEW * alone_s
