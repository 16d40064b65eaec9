from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO, Retries, TimeLimit

from actors.send_message import declare_send_message
from middleware.dispatch_once import DispatchOnce
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.send_lock import SendLock
from middleware.store import Store
from middleware.timing import MAX_LEASE_MS, Timing

if TYPE_CHECKING:
    from dramatiq import Middleware


@pytest.mark.parametrize("others", [(), (TimeLimit(),)])
def test_the_longest_lease_that_the_settings_allow_is_allowed_to_the_actor(
    others: tuple[Middleware, ...],
) -> None:
    # Given
    timing = Timing(lease_ms=MAX_LEASE_MS)
    ledger = Ledger(Store("redis://127.0.0.1"), Keys(), timing)
    broker = StubBroker(
        middleware=[*others, Retries(), AsyncIO(), DispatchOnce(ledger), SendLock(ledger)]
    )

    # When
    actor = declare_send_message(broker)

    # Then
    limit_ms = actor.options.get("time_limit")
    assert (limit_ms is None) == (not others)
    assert limit_ms is None or limit_ms > MAX_LEASE_MS
