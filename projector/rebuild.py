"""A rebuild makes the views anew beside those that are shown, from the log, and then shows them.

It follows the projector and never goes ahead of it, so it dispatches nothing, and nothing that
the projector has still to dispatch is jumped over. Stopped anywhere it has changed nothing that is
read; what it leaves behind the next rebuild removes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from middleware.keys import Delivery
from middleware.script import Call, Reply, Script
from middleware.store import failing_closed
from projector.discarding import discard_old_views
from projector.errors import RebuildSuperseded
from projector.event_log import Position, read_again
from projector.events import MessageRequested
from projector.folding import fold_all, read
from projector.message_request import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from middleware.ledger import Ledger
    from projector.folding import Reading

_BEGIN = Script.load("projector", "begin_rebuild")
_SWITCH = Script.load("projector", "switch")
_RESTORE_BODY = Script.load("projector", "restore_body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """So many events more; `expected` is what stood in the log when the partition was begun."""

    partition: int
    events: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """The partition's new views are shown; `quarantined` counts the events that they lack."""

    partition: int
    generation: int
    events: int
    bodies_restored: int
    quarantined: int


def rebuild(ledger: Ledger) -> Iterator[Folded | Rebuilt]:
    """Partition by partition, each shown as soon as it is built, while everything else goes on.

    Raises RebuildSuperseded, and LedgerUnavailable: running it again is safe.
    """
    discard_old_views(ledger)
    for partition in range(ledger.keys.partitions):
        yield from _rebuild(ledger, partition)
    discard_old_views(ledger)


def _rebuild(ledger: Ledger, partition: int) -> Iterator[Folded | Rebuilt]:
    generation, expected = ledger.run(_begin(ledger, partition))
    events, bodies_restored = 0, 0
    while True:
        match ledger.run(_switch(ledger, partition, generation)):
            case _Behind(position=position, until=until):
                batch = read_again(ledger, partition, position, until)
                readings = [read(ledger, logged) for logged in batch]
                fold_all(ledger, readings, generation=generation)
                bodies_restored += _restore_bodies(ledger, readings)
                events += len(batch)
                yield Folded(partition=partition, events=len(batch), expected=expected)
            case _Superseded():
                raise RebuildSuperseded(partition=partition)
            case _Switched():
                yield Rebuilt(
                    partition=partition,
                    generation=generation,
                    events=events,
                    bodies_restored=bodies_restored,
                    quarantined=_count_quarantined(ledger, partition, generation),
                )
                return
            case unreachable:
                assert_never(unreachable)


def _restore_bodies(ledger: Ledger, readings: Sequence[Reading]) -> int:
    """How many were missing that may still be needed."""
    calls = [
        _restore_body(ledger, event, logged.fields["body"])
        for logged, event in readings
        if isinstance(event, MessageRequested)
    ]
    return sum(ledger.run_many(calls))


def _count_quarantined(ledger: Ledger, partition: int, generation: int) -> int:
    with failing_closed():
        return ledger.store.client.xlen(ledger.keys.quarantine(partition, generation))


@dataclass(frozen=True, slots=True)
class _Switched:
    pass


@dataclass(frozen=True, slots=True)
class _Superseded:
    pass


@dataclass(frozen=True, slots=True)
class _Behind:
    position: Position
    until: Position


def _begin(ledger: Ledger, partition: int) -> Call[tuple[int, int]]:
    return Call(_BEGIN, _names(ledger, partition), (), lambda reply: (int(reply[0]), int(reply[1])))


def _switch(
    ledger: Ledger, partition: int, generation: int
) -> Call[_Switched | _Superseded | _Behind]:
    def decode(reply: Reply) -> _Switched | _Superseded | _Behind:
        match reply:
            case ["switched"]:
                return _Switched()
            case ["superseded"]:
                return _Superseded()
            case ["behind", requests, outcomes, until_requests, until_outcomes]:
                until = Position(until_requests, until_outcomes)
                return _Behind(Position(requests, outcomes), until)
        raise AssertionError(f"switch.lua does not answer {reply!r}")

    return Call(_SWITCH, _names(ledger, partition), (generation,), decode)


def _names(ledger: Ledger, partition: int) -> tuple[str, ...]:
    keys = ledger.keys
    return keys.projection(partition), keys.requests(partition), keys.outcomes(partition)


def _restore_body(ledger: Ledger, event: MessageRequested, body: str) -> Call[bool]:
    delivery = Delivery(event.tenant, event.message_request_id)
    names = (ledger.keys.delivery(delivery), ledger.keys.request(delivery))
    return Call(
        _RESTORE_BODY, names, (fingerprint_of(body), body), lambda reply: reply == ["restored"]
    )
