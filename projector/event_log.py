"""The event log is read by partition, in order, from the position that the projection has reached.

Both streams of a partition are in one slot, so one blocking read serves both, on a cluster too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from middleware.store import failing_closed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.ledger import Ledger

Stream = Literal["requests", "outcomes"]

# A pipeline of folds of this size takes the server about a millisecond.
_READ_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Position:
    """The last folded id of each stream of a partition; `0-0` before the first."""

    requests: str
    outcomes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """One entry of the log; `after` is the id of the entry before it in its stream."""

    partition: int
    stream: Stream
    after: str
    id: str
    fields: Mapping[str, str]

    @property
    def logged_at_ms(self) -> int:
        return _moment(self.id)[0]


def read_events(
    ledger: Ledger, partition: int, position: Position, *, block_ms: int
) -> list[LoggedEvent]:
    """What follows the position, in order of time; empty when nothing came for `block_ms`.

    Raises LedgerUnavailable.
    """
    streams: dict[str, tuple[Stream, str]] = {
        ledger.keys.requests(partition): ("requests", position.requests),
        ledger.keys.outcomes(partition): ("outcomes", position.outcomes),
    }
    after = {key: last_id for key, (_, last_id) in streams.items()}
    with failing_closed():
        reply = ledger.store.client.xread(after, count=_READ_AT_ONCE, block=block_ms)  # type: ignore[arg-type]
    events = []
    for key, entries in cast("list[tuple[str, list[tuple[str, dict[str, str]]]]]", reply or []):
        stream, last_id = streams[key]
        for entry_id, fields in entries:
            events.append(
                LoggedEvent(
                    partition=partition, stream=stream, after=last_id, id=entry_id, fields=fields
                )
            )
            last_id = entry_id
    return sorted(events, key=lambda event: _moment(event.id))


def _moment(entry_id: str) -> tuple[int, int]:
    milliseconds, number = entry_id.split("-")
    return int(milliseconds), int(number)
