"""Services follow outcomes at their own pace, each group every outcome, at least once.

An outcome is acknowledged when the next one is asked for, so one that was being handled by a
process that died is handed out again.
"""

from __future__ import annotations

import logging
import secrets
import socket
import time
from typing import TYPE_CHECKING, cast

from redis.exceptions import ResponseError

from middleware.errors import LedgerUnavailable
from middleware.script import Call, Script
from middleware.store import failing_closed
from middleware.timing import DAY_MS, MINUTE_MS, SECOND_MS
from projector.connection import get_ledger
from projector.errors import EventUnreadable
from projector.events import Outcome, parse_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from middleware.ledger import Ledger

log = logging.getLogger(__name__)

Entries = list[tuple[str, dict[str, str] | None]]

# Few, because whoever takes them must handle them before they count as abandoned.
_READ_AT_ONCE = 16
# Longer than handling a batch of outcomes should take, short enough not to be missed for long.
_TAKE_OVER_MS = MINUTE_MS
# Looking for what was abandoned costs a command a partition.
_LOOKS_IN_A_TAKE_OVER = 4
# Well below the store's socket timeout, to which a longer silence is an outage.
_LONGEST_BLOCK_MS = SECOND_MS
# A process that was restarted often leaves many names; those that hold nothing are forgotten.
_FORGET_CONSUMERS_MS = DAY_MS

FORGET_CONSUMERS = Script.load("projector", "forget_consumers")


def outcomes(
    *,
    group: str,
    consumer: str | None = None,
    block_ms: int = SECOND_MS,
    take_over_ms: int = _TAKE_OVER_MS,
    ledger: Ledger | None = None,
) -> Iterator[Outcome]:
    """Without end: every outcome that the group has not acknowledged and the log still has.

    The log has them for the retention at least; a group that lags by more misses some, and is
    named in the projector's log. After an outcome a person may have the request tried again: that
    is told as `redriven`, and what came of it as another outcome.
    `consumer` names one process of the group, a new name each time by default; a process that
    comes back under its name goes on where it was. `block_ms` bounds how late an outcome is seen
    on a quiet log. What another consumer has held for `take_over_ms` is taken over from it.
    Raises LedgerUnavailable; ask again, and what was not acknowledged comes again.
    """
    feed = _Feed(ledger or get_ledger(), group, consumer or _new_name())
    partitions = range(feed.partitions)
    for partition in partitions:
        feed.join(partition)
        yield from feed.hand_out(partition, feed.held(partition))
    look_again_s, idle_partition = 0.0, 0
    while True:
        if time.monotonic() >= look_again_s:
            for partition in partitions:
                yield from feed.hand_out(partition, feed.abandoned(partition, take_over_ms))
            look_again_s = time.monotonic() + take_over_ms / SECOND_MS / _LOOKS_IN_A_TAKE_OVER
        quiet = True
        for partition in partitions:
            entries = feed.new(partition)
            quiet = quiet and not entries
            yield from feed.hand_out(partition, entries)
        if quiet:
            # A blocking read serves one partition of a cluster; each gets its turn.
            turn_ms = min(max(1, block_ms // feed.partitions), _LONGEST_BLOCK_MS)
            entries = feed.new(idle_partition, block_ms=turn_ms)
            yield from feed.hand_out(idle_partition, entries)
            idle_partition = (idle_partition + 1) % feed.partitions


class _Feed:
    """One consumer of a group, over the outcome streams of all partitions."""

    def __init__(self, ledger: Ledger, group: str, consumer: str) -> None:
        self.partitions = ledger.keys.partitions
        self._ledger = ledger
        self._group = group
        self._consumer = consumer

    def join(self, partition: int) -> None:
        try:
            with failing_closed():
                self._ledger.store.client.xgroup_create(
                    self._key(partition), self._group, id="0", mkstream=True
                )
        except LedgerUnavailable as error:
            exists = isinstance(error.__cause__, ResponseError)
            if not exists or not str(error).startswith("BUSYGROUP"):
                raise
        arguments = (self._group, _FORGET_CONSUMERS_MS)
        forget = Call(FORGET_CONSUMERS, (self._key(partition),), arguments, lambda _: None)
        self._ledger.run(forget)

    def held(self, partition: int) -> Entries:
        """What this consumer took and did not acknowledge when it last ran."""
        entries: Entries = []
        last_id = "0"
        while page := self._read(partition, after=last_id):
            entries += page
            last_id = page[-1][0]
        return entries

    def new(self, partition: int, *, block_ms: int | None = None) -> Entries:
        return self._read(partition, after=">", block_ms=block_ms)

    def abandoned(self, partition: int, take_over_ms: int) -> Entries:
        with failing_closed():
            reply = self._ledger.store.client.xautoclaim(
                self._key(partition),
                self._group,
                self._consumer,
                take_over_ms,
                count=_READ_AT_ONCE,
            )
        return cast("Entries", cast("list[object]", reply)[1])

    def hand_out(self, partition: int, entries: Entries) -> Iterator[Outcome]:
        for entry_id, fields in entries:
            # None: trimmed from the log while it was held; nothing is left to hand out.
            outcome = self._parse(entry_id, fields) if fields else None
            if outcome is not None:
                yield outcome
            with failing_closed():
                self._ledger.store.client.xack(self._key(partition), self._group, entry_id)

    def _parse(self, entry_id: str, fields: dict[str, str]) -> Outcome | None:
        try:
            event = parse_event(fields)
        except EventUnreadable as unreadable:
            # The projector puts it into quarantine, with an alert.
            log.error("skipped outcome %s: %s", entry_id, unreadable)
            return None
        return event if isinstance(event, Outcome) else None

    def _read(self, partition: int, *, after: str, block_ms: int | None = None) -> Entries:
        streams = {self._key(partition): after}
        with failing_closed():
            reply = self._ledger.store.client.xreadgroup(
                self._group,
                self._consumer,
                streams,  # type: ignore[arg-type]
                count=_READ_AT_ONCE,
                block=block_ms,
            )
        return [
            entry
            for _, entries in cast("list[tuple[str, Entries]]", reply or [])
            for entry in entries
        ]

    def _key(self, partition: int) -> str:
        return self._ledger.keys.outcomes(partition)


def _new_name() -> str:
    return f"{socket.gethostname()}-{secrets.token_hex(4)}"
