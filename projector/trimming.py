"""The log forgets an event when it is folded, older than the retention, and its record is gone.

For as long as there is a record, a rebuild needs the event: the text of what may be redriven, and
the timeline of what was sent. Nothing is forgotten by the log's length.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from middleware.keys import Delivery
from middleware.script import Call, Reply, Script

if TYPE_CHECKING:
    from middleware.ledger import Ledger

log = logging.getLogger(__name__)

# What is forgotten a minute late costs a minute's memory; looking costs a command a partition.
TRIM_EVERY_S = 60.0
# Events of each stream in a step, which takes the server about a millisecond. More than a
# projector folds in a batch, so that trimming keeps up with any load.
_STEP = 200

_TRIMMABLE = Script.load("projector", "trimmable", prelude="bound")
_TRIM = Script.load("projector", "trim", prelude="bound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """How many events were forgotten; `lagging` are the groups that had not read all of them."""

    requests: int
    outcomes: int
    lagging: tuple[str, ...] = ()

    @property
    def may_be_more(self) -> bool:
        return _STEP in (self.requests, self.outcomes)


class Trimming:
    """One partition's log; any number may trim it, each step by itself is safe."""

    def __init__(self, ledger: Ledger, partition: int, *, every_s: float = TRIM_EVERY_S) -> None:
        self._ledger = ledger
        self._partition = partition
        self._every_s = every_s
        self._due_s = time.monotonic() + every_s
        self._lagging: frozenset[str] = frozenset()

    def step_if_due(self) -> None:
        """A step at most, so that folding never waits for more. Raises LedgerUnavailable."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        # Before it is tried: where it fails, folding is not held up by it again at once.
        self._due_s = now_s + self._every_s
        if self.step().may_be_more:
            self._due_s = now_s

    def step(self) -> Trimmed:
        trimmed = self._ledger.run(self._trim(self._ledger.run(self._look())))
        lagging = frozenset(trimmed.lagging)
        for group in sorted(lagging - self._lagging):
            log.warning(
                "partition %d: the group %r had not read every outcome that was trimmed now: "
                "it lags by more than the retention",
                self._partition,
                group,
            )
        if trimmed.outcomes:
            self._lagging = lagging
        return trimmed

    def _look(self) -> Call[list[tuple[str, str | None]]]:
        """Ids of events that may be forgotten, each with its record's key if it has one."""
        keys, partition = self._ledger.keys, self._partition

        def decode(reply: Reply) -> list[tuple[str, str | None]]:
            return [
                (event_id, self._record(tenant, id_))
                for event_id, tenant, id_ in zip(reply[::3], reply[1::3], reply[2::3], strict=True)
            ]

        names = (keys.projection(partition), keys.requests(partition))
        return Call(_TRIMMABLE, names, (self._ledger.timing.retention_ms, _STEP), decode)

    def _record(self, tenant: str, id_: str) -> str | None:
        keys = self._ledger.keys
        # What is of another partition was set aside: its record, if any, has its event there.
        is_of_request = tenant and id_ and keys.partition_of(tenant) == self._partition
        return keys.delivery(Delivery(tenant, id_)) if is_of_request else None

    def _trim(self, events: list[tuple[str, str | None]]) -> Call[Trimmed]:
        keys, partition = self._ledger.keys, self._partition
        names = [keys.projection(partition), keys.requests(partition), keys.outcomes(partition)]
        arguments: list[str | int] = [self._ledger.timing.retention_ms, _STEP]
        for event_id, record in events:
            place = 0
            if record is not None:
                names.append(record)
                place = len(names)
            arguments += [event_id, place]
        return Call(_TRIM, names, arguments, _decode)


def _decode(reply: Reply) -> Trimmed:
    requests, outcomes, *groups = reply
    return Trimmed(requests=int(requests), outcomes=int(outcomes), lagging=tuple(groups))
