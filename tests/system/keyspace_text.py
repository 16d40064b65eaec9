"""All that a store holds, as text: nothing that a key can hold is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import redis


def text_of_each_key(client: redis.Redis) -> dict[str, str]:
    """What stands in every key of the store, by the key's name."""
    names = cast("list[str]", list(client.scan_iter(count=1_000)))
    return {name: str(_content(client, name)) for name in sorted(names)}


def _content(client: redis.Redis, name: str) -> object:
    match cast("str", client.type(name)):
        case "string":
            return client.get(name)
        case "hash":
            return client.hgetall(name)
        case "list":
            return client.lrange(name, 0, -1)
        case "set":
            return client.smembers(name)
        case "zset":
            return client.zrange(name, 0, -1, withscores=True)
        case "stream":
            return client.xrange(name)
        case "none":
            # It has expired, or was acknowledged, since it was listed.
            return ""
        case other:
            raise AssertionError(f"{name} is a {other}")
