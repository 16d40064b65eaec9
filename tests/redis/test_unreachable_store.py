from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from sandbox.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMES = ["redis", "redis+cluster"]
# Far more than it takes: without an answer here a worker would wait for ever.
LIMIT_S = 10.0


@pytest.fixture(params=SCHEMES)
def unreachable(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    with closing(Store(f"{request.param}://127.0.0.1:{free_port()}/0")) as store:
        yield Ledger(store, Keys(), Timing())


def test_a_store_that_cannot_be_reached_is_unavailable(unreachable: Ledger) -> None:
    # Given
    call = unreachable.cancel(Delivery("acme", "r1"))

    # When
    with pytest.raises(LedgerUnavailable) as one:
        unreachable.store.run(call)
    with pytest.raises(LedgerUnavailable) as many:
        unreachable.store.run_many([call, call])

    # Then
    assert one.value.__cause__ is not None
    assert many.value.__cause__ is not None


def test_a_store_that_cannot_be_reached_keeps_no_coroutine_waiting(unreachable: Ledger) -> None:
    # Given
    store = unreachable.store
    call = unreachable.cancel(Delivery("acme", "r1"))

    # When
    async def ask_at_once() -> list[str]:
        asking = asyncio.gather(*(store.arun(call) for _ in range(3)), return_exceptions=True)
        answers = await asyncio.wait_for(asking, LIMIT_S)
        await store.aclose()
        return [type(answer).__name__ for answer in answers]

    answers = asyncio.run(ask_at_once())

    # Then
    assert answers == ["LedgerUnavailable"] * 3


def test_a_ledger_that_cannot_be_reached_admits_nothing(unreachable: Ledger) -> None:
    # Given
    call = unreachable.cancel(Delivery("acme", "r1"))

    # When
    with pytest.raises(LedgerUnavailable) as refusal:
        unreachable.run(call)

    # Then
    assert refusal.value.__cause__ is not None
