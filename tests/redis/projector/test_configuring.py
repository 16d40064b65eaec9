from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from projector.configuration import (
    Channel,
    Resolved,
    Template,
    TenantConfiguration,
    Workspace,
    resolve,
)
from projector.configure import Configured, Unchanged, configure
from projector.errors import ConfigurationRefused, EventUnreadable
from projector.resolution import read_for_delivery
from tests.redis.projector.asking import ask, post, stream

if TYPE_CHECKING:
    import redis

    from middleware.ledger import Ledger
    from projector.resolution import ForDelivery


def configuration(team_id: str = "T1", *, channel_id: str = "C1") -> TenantConfiguration:
    return TenantConfiguration(
        workspaces={"main": Workspace(team_id=team_id)},
        channels={"ops": Channel(workspace="main", id=channel_id)},
        templates={"alert": Template(text="{{ host }} is down")},
    )


def test_each_change_is_a_new_version_and_no_change_is_none(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    requests = ledger.keys.requests(ledger.keys.partition_of("acme"))

    # When
    answers = [
        answer
        for channel_id in ("C1", "C1", "C2")
        for answer in configure(ledger, {"acme": configuration(channel_id=channel_id)})
    ]

    # Then
    assert answers == [Configured("acme", 1), Unchanged("acme", 1), Configured("acme", 2)]
    assert [fields for _, fields in stream(client, requests)] == [
        {"event": "configured", "tenant": "acme", "version": "1"},
        {"event": "configured", "tenant": "acme", "version": "2"},
    ]


def test_what_is_no_longer_configured_is_gone(ledger: Ledger, client: redis.Redis) -> None:
    # Given
    before = configuration()
    configure(ledger, {"acme": before})

    # When
    configure(ledger, {"acme": before.model_copy(update={"templates": {}})})

    # Then
    stored = client.hgetall(ledger.keys.config("acme"))
    assert sorted(stored) == [
        "channel:ops",
        "channel_since:ops",
        "enabled",
        "version",
        "workspace:main",
    ]


def test_tenants_that_are_not_named_stay_as_they_are(ledger: Ledger, client: redis.Redis) -> None:
    # Given
    configure(ledger, {"acme": configuration("T1")})

    # When
    answers = configure(ledger, {"globex": configuration("T2")})

    # Then
    assert answers == [Configured("globex", 1)]
    assert client.hget(ledger.keys.config("acme"), "version") == "1"


def test_a_team_of_another_tenant_is_refused_before_anything_is_applied(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    configure(ledger, {"acme": configuration("T1")})

    # When
    with pytest.raises(ConfigurationRefused) as refused:
        configure(ledger, {"first": configuration("T3"), "globex": configuration("T1")})

    # Then
    assert refused.value.owners == {"T1": "acme"}
    assert not client.exists(ledger.keys.config("first"), ledger.keys.config("globex"))
    assert client.hgetall(ledger.keys.teams()) == {"T1": "acme"}


def test_two_tenants_cannot_claim_one_team_together(ledger: Ledger, client: redis.Redis) -> None:
    # Given
    both = {"acme": configuration("T1"), "globex": configuration("T1")}

    # When
    with pytest.raises(ConfigurationRefused) as refused:
        configure(ledger, both)

    # Then
    assert list(refused.value.owners) == ["T1"]
    assert not client.exists(ledger.keys.teams())


def test_a_team_moves_when_its_tenant_lets_go_of_it(ledger: Ledger, client: redis.Redis) -> None:
    # Given
    configure(ledger, {"acme": configuration("T1")})

    # When
    configure(ledger, {"acme": configuration("T2"), "globex": configuration("T1")})

    # Then
    assert client.hgetall(ledger.keys.teams()) == {"T1": "globex", "T2": "acme"}


async def read_for_delivery_once(ledger: Ledger) -> ForDelivery | None:
    try:
        return await read_for_delivery(ledger, "acme", "r1")
    finally:
        await ledger.store.aclose()


def test_a_delivery_reads_its_request_and_what_its_codes_name(ledger: Ledger) -> None:
    # Given
    configure(ledger, {"acme": configuration("T1", channel_id="C1")})
    since = ledger.store.client.hget(ledger.keys.config("acme"), "channel_since:ops")
    ask(ledger)

    # When
    found = asyncio.run(read_for_delivery_once(ledger))

    # Then
    assert found is not None
    resolved = resolve(
        found.fields,
        channel_code=found.request.channel_code,
        template_code=found.request.template_code,
    )
    assert resolved == Resolved("T1", "C1", int(str(since)), Template(text="{{ host }} is down"))
    assert found.request.variables == {"host": "db-1"}


def test_codes_that_are_not_configured_read_as_none(ledger: Ledger) -> None:
    # Given
    configure(ledger, {"acme": configuration("T1")})
    ask(ledger, channel_code="other")

    # When
    found = asyncio.run(read_for_delivery_once(ledger))

    # Then
    assert found is not None
    assert found.fields["enabled"] == "1"
    assert found.fields["channel:other"] is None


def test_a_tenant_without_configuration_reads_as_none(ledger: Ledger) -> None:
    # Given
    ask(ledger)

    # When
    found = asyncio.run(read_for_delivery_once(ledger))

    # Then
    assert found is not None
    assert set(found.fields.values()) == {None}


@pytest.mark.parametrize("is_sent", [True, False])
def test_there_is_nothing_to_read_of_what_was_sent_or_never_accepted(
    ledger: Ledger, *, is_sent: bool
) -> None:
    # Given
    if is_sent:
        post(ledger, ask(ledger))

    # When
    found = asyncio.run(read_for_delivery_once(ledger))

    # Then
    assert found is None


@pytest.mark.parametrize("body", ["secret text", "[]", '{"tenant": "secret text"}'])
def test_a_body_that_cannot_be_read_is_told_without_its_text(
    ledger: Ledger, client: redis.Redis, body: str
) -> None:
    # Given
    delivery = ask(ledger)
    client.set(ledger.keys.request(delivery), body)

    # When
    with pytest.raises(EventUnreadable) as unreadable:
        asyncio.run(read_for_delivery_once(ledger))

    # Then
    assert "secret text" not in str(unreadable.value)
