"""An epoch lasts as long as no write of the store can have been lost.

A restart without `appendfsync always`, or a replica that took over, may have forgotten a claim, an
intent or an outcome. So every open delivery of an earlier epoch that could have been posted counts
as uncertain, until a look in the provider tells (design §4, rule 8).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from middleware.script import Call, Reply, Script

if TYPE_CHECKING:
    from middleware.keys import Keys
    from middleware.store import Store
    from middleware.timing import Timing

log = logging.getLogger(__name__)

_ENTER_EPOCH = Script.load("middleware", "enter_epoch")
_FIRST = 1


@dataclass(frozen=True, slots=True)
class Entered:
    """The partition's epoch, and whether it began just now."""

    number: int
    is_new: bool


def enter_epoch(keys: Keys, timing: Timing, partition: int, *, is_durable: bool) -> Call[Entered]:
    """`is_durable`: the server keeps every write that it answers, across a crash too."""
    quiet_ms = timing.post_deadline_ms + timing.settle_delay_ms
    arguments = ("yes" if is_durable else "no", quiet_ms)
    return Call(_ENTER_EPOCH, (keys.epoch(partition),), arguments, _entered)


def enter_epochs(store: Store, keys: Keys, timing: Timing, *, is_durable: bool) -> None:
    """Raises LedgerUnavailable; those that were entered by then stay so."""
    calls = [
        enter_epoch(keys, timing, partition, is_durable=is_durable)
        for partition in range(keys.partitions)
    ]
    for partition, entered in enumerate(store.run_many(calls)):
        if entered.is_new and entered.number > _FIRST:
            log.critical(
                "epoch.new partition=%d number=%d: the store may have lost writes, so what was "
                "open is looked for before it is posted",
                partition,
                entered.number,
            )


def _entered(reply: Reply) -> Entered:
    kind, number = reply
    return Entered(int(number), is_new=kind == "new")
