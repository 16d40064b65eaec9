"""Coroutines share a round trip, and nothing else: none suffers from what another asks."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import fakeredis

from middleware.answers import Accepted
from middleware.keys import Delivery
from middleware.stub_ledger import ManualClock, StubLedger, StubStore, one_server
from tests.redis.ledger_calls import ACCEPTANCE

if TYPE_CHECKING:
    import redis.asyncio

    from tests.redis.delivering import Rig


class _ManyServers(StubStore):
    """One for each loop: a server in memory keeps the loops that ever asked it."""

    def _connect_async(self) -> redis.asyncio.Redis:
        return fakeredis.FakeAsyncRedis(
            server=fakeredis.FakeServer(), decode_responses=True, protocol=2
        )


def test_what_cannot_be_asked_fails_alone(rig: Rig) -> None:
    # Given
    ledger = rig.ledger
    name_no_key_can_hold = Delivery("acme", "\ud800")
    calls = [ledger.accept(each, ACCEPTANCE) for each in (name_no_key_can_hold, rig.delivery)]

    # When
    async def ask_at_once() -> list[object]:
        asking = (ledger.arun(call) for call in calls)
        answers: list[object] = [*await asyncio.gather(*asking, return_exceptions=True)]
        await ledger.store.aclose()
        return answers

    answers = asyncio.run(ask_at_once())

    # Then
    assert [type(answer) for answer in answers] == [UnicodeEncodeError, Accepted]


def test_what_nobody_waits_for_any_more_is_not_asked(rig: Rig) -> None:
    # Given
    ledger = rig.ledger
    ledger.admit()
    abandoned = Delivery("acme", "r2")

    # When
    async def abandon_one() -> None:
        # Each takes its first step, in this order, before the batch of both is sent.
        kept = asyncio.create_task(ledger.store.arun(ledger.accept(rig.delivery, ACCEPTANCE)))
        other = asyncio.create_task(ledger.store.arun(ledger.accept(abandoned, ACCEPTANCE)))
        cancelling = asyncio.create_task(_cancel(other))
        await asyncio.wait([kept, other, cancelling])
        await ledger.store.aclose()

    asyncio.run(abandon_one())

    # Then
    assert rig.view.snapshot(rig.delivery).record["state"] == "waiting"
    assert rig.view.snapshot(abandoned).record == {}


def test_a_loop_that_has_ended_is_not_kept() -> None:
    # Given
    store = _ManyServers(ManualClock(), one_server)
    call = StubLedger().due_deliveries("acme", limit=1)

    async def ask() -> weakref.ref[asyncio.AbstractEventLoop]:
        await store.arun(call)
        return weakref.ref(asyncio.get_running_loop())

    ended = asyncio.run(ask())

    # When
    asyncio.run(ask())
    gc.collect()

    # Then
    assert ended() is None


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
