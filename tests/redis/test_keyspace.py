from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.keyspace import immortal_keys, remove_keys

if TYPE_CHECKING:
    import redis


@pytest.mark.parametrize("name", ["settings", "{p00}:requests", "{p00}:due:acme"])
def test_what_the_design_keeps_may_stay(client: redis.Redis, prefix: str, name: str) -> None:
    # Given
    client.set(f"{prefix}:{name}", "kept")

    # When
    immortal = immortal_keys(client, prefix)

    # Then
    assert immortal == []


@pytest.mark.parametrize("state", ["waiting", "sent"])
def test_a_record_may_stay_only_while_it_is_open(
    client: redis.Redis, prefix: str, state: str
) -> None:
    # Given
    record, body = f"{prefix}:{{p00}}:delivery:acme:7", f"{prefix}:{{p00}}:request:acme:7"
    client.hset(record, "state", state)
    client.set(body, "{}")

    # When
    immortal = immortal_keys(client, prefix)
    remove_keys(client, prefix)

    # Then
    assert immortal == ([] if state == "waiting" else [record, body])


def test_a_key_of_no_kept_kind_must_expire(client: redis.Redis, prefix: str) -> None:
    # Given
    lasting, passing = f"{prefix}:{{p00}}:lease", f"{prefix}:{{p01}}:lease"
    client.set(lasting, "held")
    client.set(passing, "held", ex=60)

    # When
    immortal = immortal_keys(client, prefix)
    remove_keys(client, prefix)

    # Then
    assert immortal == [lasting]
    assert not client.exists(passing)
