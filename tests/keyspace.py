"""What a test may leave behind: keys that expire, and those that the design keeps for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

# Kept for good (design, keys): the logs, what is configured, and what schedules.
KEPT = frozenset(
    {
        "config",
        "counts",
        "due",
        "epoch",
        "outcomes",
        "partitions",
        "projection",
        "quarantine",
        "requests",
        "settings",
        "teams",
        "tenants",
    }
)
# Kept until the delivery has ended, which the record itself tells.
KEPT_WHILE_OPEN = frozenset({"delivery", "history", "request"})
OPEN_STATES = frozenset({"waiting", "claimed", "sending", "uncertain"})


def keys_under(client: redis.Redis, prefix: str) -> Iterator[str]:
    """Every key of the namespace, the queue's too."""
    yield from client.scan_iter(match=f"{prefix}*", count=1000)


def immortal_keys(client: redis.Redis, prefix: str) -> list[str]:
    """The keys without expiry that should have one, sorted."""
    return sorted(
        key
        for key in keys_under(client, prefix)
        if key.startswith(f"{prefix}:")
        and client.ttl(key) == -1
        and not _may_stay(client, key.removeprefix(f"{prefix}:"), key)
    )


def remove_keys(client: redis.Redis, prefix: str) -> None:
    for key in keys_under(client, prefix):
        client.unlink(key)


def _may_stay(client: redis.Redis, name: str, key: str) -> bool:
    # The names in full are `PREFIX:KIND`, `PREFIX:{pNN}:KIND` and `PREFIX:{pNN}:KIND:TENANT[:ID]`;
    # a view has the number of its generation in front of its kind.
    parts = name.split(":")
    kind = next(part for part in parts if not part.startswith("{") and not part.isdecimal())
    if kind in KEPT_WHILE_OPEN:
        record = key.replace(f":{kind}:", ":delivery:", 1)
        return cast("str | None", client.hget(record, "state")) in OPEN_STATES
    return kind in KEPT
