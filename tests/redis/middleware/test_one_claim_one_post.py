"""However an actor uses its claim, and wherever it is interrupted, no second POST can follow."""

from __future__ import annotations

import asyncio
from threading import Event, Thread
from typing import TYPE_CHECKING, NoReturn, cast

import pytest
from dramatiq.middleware import TimeLimitExceeded

from middleware.errors import ClaimUsedUp
from middleware.fates import Posted, Ready
from middleware.send_lock import current_async_claim, current_claim
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.interrupting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.claim import SyncClaim
    from middleware.fates import LookAnswer, PostAnswer
    from middleware.ledger import Ledger
    from middleware.post_by import PostBy
    from tests.redis.middleware.application import Kind


class _InterruptedWhenRead(Posted):
    """An answer whose reading is interrupted: after the POST, before anything is settled."""

    def __init__(self) -> None:
        pass

    @property
    def receipt(self) -> NoReturn:
        raise TimeLimitExceeded


@pytest.mark.parametrize(
    "answer",
    [_InterruptedWhenRead(), Posted({"ts": cast("str", object())})],
    ids=lambda each: type(each).__name__,
)
def test_what_breaks_between_the_post_and_its_settling_leaves_the_fate_unknown(
    ledger: Ledger, kind: Kind, answer: Posted
) -> None:
    # Given
    app = Application(ledger, kind)
    app.provider.takes.come(answer)

    # When
    app.send_and_work()

    # Then
    assert app.state() == "uncertain"
    assert len(app.provider.posts) == 1


def test_a_claim_performs_once(ledger: Ledger) -> None:
    # Given
    app = Application(ledger)
    provider, refusals = app.provider, list[ClaimUsedUp]()

    def performs_before() -> bool:
        current_claim().perform(provider.prepare, provider.post, provider.look)
        try:
            current_claim().perform(provider.prepare, provider.post, provider.look)
        except ClaimUsedUp as refusal:
            refusals.append(refusal)
        return False

    provider.starts.come(performs_before)

    # When
    app.send_and_work()

    # Then
    assert len(refusals) == 1
    assert len(provider.posts) == 1
    assert app.state() == "sent"


def test_a_claim_that_performs_twice_at_the_same_time_posts_once(ledger: Ledger) -> None:
    # Given
    app = Application(ledger, "async")
    provider = app.provider

    async def performs_twice() -> bool:
        async def prepare() -> Ready:
            await asyncio.sleep(0)
            return Ready({"channel": "C1"}, "hello")

        async def post(target: Mapping[str, str], payload: object, post_by: PostBy) -> PostAnswer:
            await asyncio.sleep(0)
            return provider.post(target, payload, post_by)

        async def look(target: Mapping[str, str], intent_at_ms: int) -> LookAnswer:
            return provider.look(target, intent_at_ms)

        claim = current_async_claim()
        performing = (claim.perform(prepare, post, look) for _ in range(2))
        await asyncio.gather(*performing, return_exceptions=True)
        return False

    provider.starts.come(performs_twice)

    # When
    app.send_and_work()

    # Then
    assert len(provider.posts) == 1
    assert app.state() == "sent"


def test_an_actor_that_leaves_its_post_behind_leaves_the_fate_unknown(ledger: Ledger) -> None:
    # Given
    app = Application(ledger)
    begun, let_end = Event(), Event()

    def posts_slowly(_target: Mapping[str, str], _payload: object, _post_by: PostBy) -> Posted:
        begun.set()
        wait_for(let_end, "the actor has ended")
        return Posted({"channel": "C1", "ts": "170.01"})

    def leaves_it_to_a_thread() -> bool:
        performing = (app.provider.prepare, posts_slowly, app.provider.look)
        thread = Thread(target=current_claim().perform, args=performing)
        thread.start()
        left.append(thread)
        wait_for(begun, "the POST is made")
        return False

    left: list[Thread] = []
    app.provider.starts.come(leaves_it_to_a_thread)

    # When
    app.send_and_work()
    state_meanwhile = app.state()
    let_end.set()
    left[0].join()

    # Then
    assert state_meanwhile == "uncertain"
    assert app.state() == "sent", "a receipt is a fact, however late"


def test_an_actor_that_ended_while_its_thread_prepares_posts_no_more(ledger: Ledger) -> None:
    # Given
    app = Application(ledger)
    begun, let_end = Event(), Event()

    def prepares_slowly() -> Ready:
        begun.set()
        wait_for(let_end, "the actor has ended")
        return Ready({"channel": "C1"}, "hello")

    def leaves_it_to_a_thread() -> bool:
        performing = (prepares_slowly, app.provider.post, app.provider.look)
        thread = Thread(target=current_claim().perform, args=performing)
        thread.start()
        left.append(thread)
        wait_for(begun, "it prepares")
        return False

    left: list[Thread] = []
    app.provider.starts.come(leaves_it_to_a_thread)

    # When
    app.send_and_work()
    let_end.set()
    left[0].join()

    # Then
    assert app.state() == "waiting"
    assert app.provider.posts == []


def test_a_claim_kept_after_its_message_posts_nothing(ledger: Ledger) -> None:
    # Given
    app = Application(ledger)
    kept: list[SyncClaim] = []

    def keeps_it() -> bool:
        kept.append(current_claim())
        return False

    app.provider.starts.come(keeps_it)
    app.send_and_work()

    # When
    kept[0].perform(app.provider.prepare, app.provider.post, app.provider.look)

    # Then
    assert app.state(R1) == "waiting"
    assert app.provider.posts == []
