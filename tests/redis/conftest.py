"""The same test bodies over both ledgers: on a real server, and in memory."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock, StubLedger
from middleware.timing import Timing
from tests.redis.delivering import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.servers import ValkeyProcess


@pytest.fixture(params=["valkey", "stub"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """However the test leaves the ledger, the invariants must hold."""
    if request.param == "valkey":
        server: ValkeyProcess = request.getfixturevalue("valkey")
        keys = Keys(request.getfixturevalue("prefix"), partitions=2)
        clock = ManualClock()
        ledger = Ledger(Store(server.url, clock_ms=clock), keys, Timing())
    else:
        ledger = StubLedger()
        clock = ledger.clock
    with closing(ledger.store):
        driven = Rig(ledger, clock, Delivery("acme", "r1"))
        yield driven
        driven.view.check()
