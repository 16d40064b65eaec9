"""A ledger on the session's server, and a broker that guards an actor which does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dramatiq.brokers.stub import StubBroker

from middleware.dispatch_once import DispatchOnce
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from tests.redis.projector.guarding import declare_actor
from tests.redis.projector.open_views import forget_open_views

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from sandbox.servers import ValkeyProcess


@pytest.fixture
def ledger(valkey: ValkeyProcess, client: redis.Redis, prefix: str) -> Iterator[Ledger]:
    store = Store(valkey.url)
    yield Ledger(store, Keys(prefix, partitions=2), Timing())
    store.close()
    forget_open_views(client, prefix)


@pytest.fixture
def broker(ledger: Ledger) -> StubBroker:
    stub = StubBroker(middleware=[DispatchOnce(ledger)])
    declare_actor(stub)
    return stub
