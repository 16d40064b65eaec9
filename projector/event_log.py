"""The event log is read by partition, in order, from the position that the projection has reached.

Both streams of a partition are in one slot, so one blocking read serves both, on a cluster too.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, cast

from middleware.store import failing_closed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.ledger import Ledger

Entries = list[tuple[str, dict[str, str]]]
Stream = Literal["requests", "outcomes"]

# A pipeline of folds of this size takes the server about a millisecond.
_READ_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Position:
    """The last folded id of each stream of a partition; `0-0` before the first."""

    requests: str = "0-0"
    outcomes: str = "0-0"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """One entry of the log; `after` is the id of the entry before it in its stream."""

    partition: int
    stream: Stream
    after: str
    id: str
    fields: Mapping[str, str]

    @property
    def moment(self) -> tuple[int, int]:
        """In order over both streams; of one instant of both, in any."""
        milliseconds, number = self.id.split("-")
        return int(milliseconds), int(number)

    @property
    def logged_at_ms(self) -> int:
        return self.moment[0]


def read_events(
    ledger: Ledger, partition: int, position: Position, *, block_ms: int
) -> list[LoggedEvent]:
    """What follows the position, in order of time; empty when nothing came for `block_ms`.

    Raises LedgerUnavailable.
    """
    places = _places(ledger, partition, position)
    after = {key: last_id for key, (_, last_id) in places.items()}
    with failing_closed():
        reply = ledger.store.client.xread(after, count=_READ_AT_ONCE, block=block_ms)  # type: ignore[arg-type]
    events: list[LoggedEvent] = []
    for key, entries in cast("list[tuple[str, Entries]]", reply or []):
        events += _chain(partition, *places[key], entries)
    return sorted(events, key=attrgetter("moment"))


def read_again(
    ledger: Ledger, partition: int, position: Position, until: Position
) -> list[LoggedEvent]:
    """What follows the position up to the other, in order of time over both streams.

    Other than in `read_events` no stream runs ahead: nothing earlier is still to be read. Raises
    LedgerUnavailable.
    """
    places = _places(ledger, partition, position)
    with failing_closed():
        pipeline = ledger.store.client.pipeline(transaction=False)
        for key, last_id in zip(places, (until.requests, until.outcomes), strict=True):
            pipeline.xrange(key, f"({places[key][1]}", last_id, count=_READ_AT_ONCE)
        replies = cast("list[Entries]", pipeline.execute())
    events: list[LoggedEvent] = []
    ends: list[tuple[int, int]] = []
    for place, entries in zip(places.values(), replies, strict=True):
        chained = _chain(partition, *place, entries)
        events += chained
        if len(chained) == _READ_AT_ONCE:
            ends.append(chained[-1].moment)
    in_order = sorted(events, key=attrgetter("moment"))
    return [event for event in in_order if not ends or event.moment <= min(ends)]


def _places(ledger: Ledger, partition: int, position: Position) -> dict[str, tuple[Stream, str]]:
    """Each stream by its key, with the id to go on from."""
    return {
        ledger.keys.requests(partition): ("requests", position.requests),
        ledger.keys.outcomes(partition): ("outcomes", position.outcomes),
    }


def _chain(partition: int, stream: Stream, last_id: str, entries: Entries) -> list[LoggedEvent]:
    events = []
    for entry_id, fields in entries:
        events.append(
            LoggedEvent(
                partition=partition, stream=stream, after=last_id, id=entry_id, fields=fields
            )
        )
        last_id = entry_id
    return events
