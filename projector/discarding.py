"""The views of generations that nobody reads or builds any more are removed, whoever left them."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING

from middleware.script import Call, Script
from middleware.store import failing_closed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from middleware.keys import View
    from middleware.ledger import Ledger

# So many keys the server looks at, or removes, in one go.
_AT_ONCE = 500

_GENERATIONS = Script.load("projector", "generations")
_DISCARD = Script.load("projector", "discard")


def discard_old_views(ledger: Ledger) -> int:
    """How many were removed. Looks at every key of the store. Raises LedgerUnavailable."""
    removed = 0
    old = _old_views(ledger)
    while some := sorted(islice(old, _AT_ONCE), key=lambda view: view.partition):
        calls = [
            _discard(ledger, partition, tuple(views))
            for partition, views in groupby(some, key=lambda view: view.partition)
        ]
        removed += sum(ledger.run_many(calls))
    return removed


def _old_views(ledger: Ledger) -> Iterator[View]:
    """Those that were not in use a moment ago; the script looks again."""
    keys = ledger.keys
    in_use = ledger.run_many(
        [
            Call(_GENERATIONS, (keys.projection(partition),), (), frozenset)
            for partition in range(keys.partitions)
        ]
    )
    for key in _found(ledger, keys.every_view()):
        view = keys.view_of(key)
        if str(view.generation) not in in_use[view.partition]:
            yield view


def _found(ledger: Ledger, pattern: str) -> Iterable[str]:
    with failing_closed():
        yield from ledger.store.client.scan_iter(match=pattern, count=_AT_ONCE)


def _discard(ledger: Ledger, partition: int, views: tuple[View, ...]) -> Call[int]:
    names = (ledger.keys.projection(partition), *(view.key for view in views))
    generations = [view.generation for view in views]
    return Call(_DISCARD, names, generations, lambda reply: int(reply[0]))
