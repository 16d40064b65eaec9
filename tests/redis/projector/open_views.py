"""The projection's views of what is open stay for as long as it is; what has ended must expire."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import redis


def forget_open_views(client: redis.Redis, prefix: str) -> None:
    """At a test's end, so that only what should have expired is left to be found."""
    for view in client.scan_iter(match=f"{prefix}:*:listed:*:open"):
        timeline = view.removesuffix(":open").replace(":listed:", ":timeline:", 1)
        for member in cast("list[str]", client.zrange(view, 0, -1)):
            client.unlink(f"{timeline}:{member}")
        client.unlink(view)
    for known in client.scan_iter(match=f"{prefix}:*:known"):
        client.unlink(known)
