"""What the projection shows, key by key, so that what two rebuilds made can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projector.event_log import Position, read_again
from projector.folding import fold_all, read

if TYPE_CHECKING:
    from middleware.ledger import Ledger


def generations(ledger: Ledger) -> set[tuple[int, int]]:
    """Of every view there is, its partition and its generation."""
    keys = ledger.keys
    found = [keys.view_of(key) for key in ledger.store.client.scan_iter(match=keys.every_view())]
    return {(view.partition, view.generation) for view in found}


def positions(ledger: Ledger, partition: int) -> set[str]:
    """The generations of which it is known how far they are folded."""
    client: Any = ledger.store.client
    fields = client.hkeys(ledger.keys.projection(partition))
    return {field.partition(":")[0] for field in fields if ":" in field}


def current(ledger: Ledger, partition: int) -> int:
    name = ledger.keys.projection(partition)
    return int(ledger.store.client.hget(name, "current") or 0)


def shown(ledger: Ledger) -> dict[str, Any]:
    """The current views by name, each with what it holds and until when, and the positions."""
    client: Any = ledger.store.client
    views: dict[str, Any] = {}
    for key in client.scan_iter(match=ledger.keys.every_view()):
        view = ledger.keys.view_of(key)
        if view.generation == current(ledger, view.partition):
            name = key.replace(f":{view.generation}:", ":", 1)
            views[name] = _content(client, key), client.pexpiretime(key)
    for partition in range(ledger.keys.partitions):
        name = ledger.keys.projection(partition)
        generation = current(ledger, partition)
        for field in ("requests", "requests:folded", "outcomes", "outcomes:folded"):
            nothing = "0" if field.endswith("folded") else "0-0"
            views[f"{name} {field}"] = client.hget(name, f"{generation}:{field}") or nothing
        views[ledger.keys.known(partition)] = client.smembers(ledger.keys.known(partition))
    return views


def fold_outcomes(ledger: Ledger) -> None:
    """As when they come before their requests: the streams are folded independently."""
    for partition in range(ledger.keys.partitions):
        generation = current(ledger, partition)
        client: Any = ledger.store.client
        name = ledger.keys.projection(partition)
        last = client.hget(name, f"{generation}:outcomes") or "0-0"
        until = Position(outcomes="+")
        while events := read_again(ledger, partition, Position(outcomes=last), until):
            fold_all(ledger, [read(ledger, event) for event in events], generation=generation)
            last = events[-1].id


def _content(client: Any, key: str) -> object:  # noqa: ANN401 - it carries no types
    match client.type(key):
        case "list":
            return client.lrange(key, 0, -1)
        case "zset":
            return client.zrange(key, 0, -1, withscores=True)
        case "stream":
            # When it was set aside, and so in which order, is not when it happened.
            return sorted(tuple(fields.items()) for _, fields in client.xrange(key))
        case other:
            return other
