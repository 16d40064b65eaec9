"""A batch of events enters the views of one generation; none that is bad stops the others."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from middleware.errors import LedgerUnavailable
from projector.data_faults import is_of_the_data
from projector.errors import EventUnreadable
from projector.events import Event, parse_event
from projector.fold import Gap, fold, quarantine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from middleware.ledger import Ledger
    from middleware.script import Call
    from projector.event_log import LoggedEvent
    from projector.fold import FoldAnswer

log = logging.getLogger(__name__)

# What an entry of the log says, or why this version cannot read it.
Reading = tuple["LoggedEvent", Event | EventUnreadable]


def read(ledger: Ledger, logged: LoggedEvent) -> Reading:
    try:
        event = parse_event(logged.fields)
    except EventUnreadable as unreadable:
        return logged, unreadable
    if ledger.keys.partition_of(event.tenant) != logged.partition:
        # Its views are in another slot, out of this partition's reach.
        return logged, EventUnreadable(["tenant: of another partition"])
    return logged, event


def fold_all(ledger: Ledger, readings: Sequence[Reading], *, generation: int) -> None:
    """In order; what cannot be read, or cannot be folded, is quarantined.

    Raises LedgerUnavailable, with some folded; folding them again is safe.
    """
    calls = [_call(ledger, *reading, generation) for reading in readings]
    try:
        answers = ledger.run_many(calls)
        if any(isinstance(answer, Gap) for answer in answers):
            # A server that did not know one of the scripts yet ran it after those behind it.
            ledger.run_many(calls)
    except LedgerUnavailable as error:
        if not is_of_the_data(error):
            raise
        # One of them, it is not known which; those applied by now answer that they were.
        for reading in readings:
            _fold_or_quarantine(ledger, *reading, generation)


def kind_of(error: Exception) -> str:
    """The store's failures are all of one class here; what they were says more."""
    return type(error.__cause__ or error).__name__


def _call(
    ledger: Ledger, logged: LoggedEvent, event: Event | EventUnreadable, generation: int
) -> Call[FoldAnswer]:
    if isinstance(event, EventUnreadable):
        error = f"EventUnreadable: {event}"
        return quarantine(ledger, logged, error=error, generation=generation)
    return fold(ledger, logged, event, generation=generation)


def _fold_or_quarantine(
    ledger: Ledger, logged: LoggedEvent, event: Event | EventUnreadable, generation: int
) -> None:
    """Raise LedgerUnavailable when the event is not to blame, or cannot be set aside."""
    try:
        ledger.run(_call(ledger, logged, event, generation))
    except LedgerUnavailable as error:
        if not is_of_the_data(error):
            raise
        kind = kind_of(error)
        ledger.run(quarantine(ledger, logged, error=kind, generation=generation))
        log.critical("quarantined %s %s: cannot fold it: %s", logged.stream, logged.id, kind)
