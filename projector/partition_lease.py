"""A lease on a partition only avoids double work: folding and dispatching are right without it.

It ends by itself, so that the partitions of a process that died are taken over.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from middleware.script import Call, Reply, Script
from projector.event_log import Position

if TYPE_CHECKING:
    from middleware.ledger import Ledger

_HOLD = Script.load("projector", "hold")
_RELEASE = Script.load("projector", "release")


@dataclass(frozen=True, slots=True)
class Held:
    """Into which generation of the views events are folded, and from where to go on."""

    generation: int
    position: Position


class PartitionLease:
    """One holder's lease on one partition."""

    def __init__(self, ledger: Ledger, partition: int, *, lease_ms: int) -> None:
        self._ledger = ledger
        self._partition = partition
        self._lease_ms = lease_ms
        self._token = secrets.token_urlsafe()

    def hold(self) -> Held | None:
        """Take it or renew it; None while another holds it."""
        keys = self._ledger.keys
        names = (keys.lease(self._partition), keys.projection(self._partition))
        return self._ledger.run(Call(_HOLD, names, (self._token, self._lease_ms), _held))

    def release(self) -> None:
        names = (self._ledger.keys.lease(self._partition),)
        self._ledger.run(Call(_RELEASE, names, (self._token,), _nothing))


def _held(reply: Reply) -> Held | None:
    match reply:
        case ["held", generation, requests, outcomes]:
            return Held(int(generation), Position(requests, outcomes))
        case ["busy"]:
            return None
    raise AssertionError(f"hold.lua does not answer {reply!r}")


def _nothing(_: Reply) -> None:
    return None
