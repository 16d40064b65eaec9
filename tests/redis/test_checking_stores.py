"""What a server says of itself, or does not say, before it is trusted with the ledger."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from middleware.admission import check_store
from middleware.keys import Keys
from middleware.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from sandbox.cluster import ThreeNodeCluster
    from sandbox.servers import ValkeyProcess

USER = "nobody-special"


class _ReticentStore(Store):
    """Its server answers these questions without saying anything."""

    def _connect(self) -> redis.Redis:
        client = super()._connect()
        for question in ("INFO", "CONFIG GET"):
            client.set_response_callback(question, lambda *_, **__: {})
        return client


@pytest.fixture
def reticent(valkey: ValkeyProcess) -> Iterator[Store]:
    with closing(_ReticentStore(valkey.url)) as store:
        yield store


@pytest.fixture
def forbidding(valkey: ValkeyProcess, client: redis.Redis) -> Iterator[Store]:
    """A user who may not ask."""
    client.execute_command(
        "ACL", "SETUSER", USER, "on", "nopass", "~*", "+@all", "-info", "-config"
    )
    with closing(Store(valkey.url.replace("//", f"//{USER}:any@"))) as store:
        yield store
    client.acl_deluser(USER)


@pytest.mark.parametrize("kind", ["reticent", "forbidding"])
def test_what_a_server_does_not_tell_is_a_risk_and_who_it_is_must_be_told(
    request: pytest.FixtureRequest, prefix: str, kind: str
) -> None:
    # Given
    store: Store = request.getfixturevalue(kind)

    # When
    findings = check_store(store, Keys(prefix))

    # Then
    assert [(each.severity, each.found) for each in findings[1:]] == [
        ("risky", "the server does not tell"),
        ("risky", "the server does not tell"),
        ("refused", "the server does not tell"),
    ]


@pytest.fixture
def last_node(cluster: ThreeNodeCluster) -> Iterator[redis.Redis]:
    """Its settings are put back."""
    names = ("appendfsync", "maxmemory-policy")
    with cluster.nodes[-1].client() as node:
        before: Any = node.config_get(*names)
        yield node
        for name in names:
            node.config_set(name, before[name])


def test_one_node_of_a_cluster_makes_the_finding(
    cluster: ThreeNodeCluster, last_node: redis.Redis, prefix: str
) -> None:
    # Given
    last_node.config_set("appendfsync", "everysec")
    last_node.config_set("maxmemory-policy", "allkeys-lru")

    # When
    with closing(Store(cluster.url)) as store:
        _, eviction, durability, _ = check_store(store, Keys(prefix))
        store.client.delete(Keys(prefix).settings())

    # Then
    assert (eviction.severity, eviction.found) == ("refused", "allkeys-lru, noeviction")
    assert durability.found == (
        "appendonly no, appendfsync always, no-appendfsync-on-rewrite no; "
        "appendonly no, appendfsync everysec, no-appendfsync-on-rewrite no"
    )
