"""An intent that a failover could lose lets nobody post, where replicas are asked for."""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from middleware.errors import ReplicasBehind
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from sandbox.servers import HOST, ValkeyProcess
from sandbox.waiting import wait_until
from tests.redis.middleware.application import Application, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def primary() -> Iterator[ValkeyProcess]:
    with ValkeyProcess(config={"repl-diskless-sync-delay": "0"}) as server:
        yield server


@pytest.fixture
def replica(primary: ValkeyProcess) -> Iterator[ValkeyProcess]:
    with ValkeyProcess(config={"replicaof": f"{HOST} {primary.port}"}) as server:
        with primary.client() as client:
            # Counts replicas that have this connection's last write, so there must be one.
            client.set("followed", "yes")
            wait_until(
                lambda: client.wait(1, 10) == 1, description="the replica follows", timeout_s=20
            )
        yield server


@pytest.fixture(params=["sync", "async"])
def asking(request: pytest.FixtureRequest, primary: ValkeyProcess) -> Iterator[Application]:
    """Under a namespace of its own; the server ends with the module."""
    kind: Kind = request.param
    with closing(Store(primary.url)) as store:
        keys = Keys(f"t{secrets.token_hex(6)}", partitions=2)
        yield Application(Ledger(store, keys, Timing(), wait_replicas=1), kind)


def test_nothing_is_posted_while_too_few_replicas_have_the_intent(asking: Application) -> None:
    # Given
    # Taken all the same, but nobody is told so.
    with pytest.raises(ReplicasBehind):
        asking.accept()

    # When
    asking.send_and_work()

    # Then
    assert asking.provider.posts == []
    assert asking.noted()[-2:] == ["sending", "postponed"]
    assert asking.record()["attempts"] == "0"
    assert asking.state() == "waiting"


@pytest.mark.usefixtures("replica")
def test_it_is_posted_when_a_replica_has_the_intent(asking: Application) -> None:
    # Given
    asking.accept()

    # When
    asking.send_and_work()

    # Then
    assert asking.told() == ["sent"]
    assert len(asking.provider.posts) == 1
