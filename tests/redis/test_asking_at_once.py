"""Coroutines share a round trip, and nothing else: none suffers from what another asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from middleware.answers import Accepted
from middleware.keys import Delivery
from tests.redis.ledger_calls import ACCEPTANCE

if TYPE_CHECKING:
    from tests.redis.delivering import Rig


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
