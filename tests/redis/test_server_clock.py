from __future__ import annotations

import secrets
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from middleware.timing import Timing
from tests.keyspace import remove_keys
from tests.redis.delivering import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.cluster import ThreeNodeCluster
    from sandbox.servers import ValkeyProcess

# A few calls take milliseconds; a machine may be busy.
SOON_MS = 20_000


@pytest.fixture(params=["valkey", "cluster"])
def in_production(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """The ledger as it runs in production; the rig's clock moves nothing in it."""
    server: ValkeyProcess | ThreeNodeCluster = request.getfixturevalue(request.param)
    keys = Keys(f"t{secrets.token_hex(6)}", partitions=2)
    with closing(Store(server.url)) as store:
        rig = Rig(Ledger(store, keys, Timing()), ManualClock(), Delivery("acme", "r1"))
        yield rig
        rig.view.check()
        remove_keys(store.client, keys.prefix)


def server_ms(rig: Rig) -> int:
    return rig.run(rig.ledger.due_deliveries("acme", limit=1)).now_ms


def test_every_time_is_taken_from_the_server(in_production: Rig) -> None:
    # Given
    rig = in_production
    begun_ms = server_ms(rig)

    # When
    rig.sending()

    # Then
    ended_ms, record = server_ms(rig), rig.record()
    assert begun_ms <= int(record["accepted_at"]) <= int(record["intent_at"]) <= ended_ms
    assert ended_ms - begun_ms < SOON_MS
    assert int(record["due"]) == int(record["intent_at"]) + rig.timing.lease_ms
    assert all(begun_ms <= entry.at_ms <= ended_ms for entry in rig.snapshot().history)
