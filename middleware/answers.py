"""What the ledger answers, one frozen value for each reply of design §4's table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Accepted:
    """It will end in exactly one recorded outcome."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same request was accepted before and is in this state."""

    state: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another request has this id; nothing was written."""

    state: str


@dataclass(frozen=True, slots=True)
class First:
    """The message may go onto the queue."""


@dataclass(frozen=True, slots=True)
class DispatchedBefore:
    """`message_id` stands on the queue, or (`in_progress`) is being worked on."""

    message_id: str
    in_progress: bool


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not before `until_ms`; the sweeper dispatches it then."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class OtherThread:
    """The delivery belongs to `thread_ts` ('' when it no longer waits and has none)."""

    thread_ts: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The ledger has no such record."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Terminal: sent, rejected, expired, cancelled or unproven."""

    outcome: str


@dataclass(frozen=True, slots=True)
class Granted:
    """The claim is held. `returns` counts how often it came back, for the backoff."""

    attempt: int
    marker: str
    thread_ts: str | None
    returns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """The claim is held on a delivery whose POST has an unknown fate; only looking is allowed.

    Absence counts from a read begun at `reconcile_at_ms` or later. `now_ms` is the server's time
    at the claim: no read of this claim began before it. `target` is empty where the ledger lost
    the intent; then `intent_at_ms` is a time before which there was none.
    """

    marker: str
    thread_ts: str | None
    target: Mapping[str, str]
    intent_at_ms: int
    reconcile_at_ms: int
    now_ms: int
    returns: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Someone holds it, or it is not due; the sweeper comes back."""

    until_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Go:
    """The intent is written. `remaining_ms` of the POST's deadline were left on the server."""

    remaining_ms: int
    target: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lost:
    """The claim is no longer held; nothing was written."""


@dataclass(frozen=True, slots=True)
class Ok:
    """Written, now or by an earlier call whose reply was lost."""


@dataclass(frozen=True, slots=True)
class Late:
    """Written, though the claim was no longer held: a receipt is a fact."""


@dataclass(frozen=True, slots=True)
class StrayPost:
    """A post that contradicts the record: `late_post` or `duplicate_post`; an alert was raised."""

    kind: str


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """Absence is proven and the claim may post again."""

    attempt: int


@dataclass(frozen=True, slots=True)
class TooEarly:
    """The read began while the POST could still arrive."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A POST may be on its way: cancelled only if it is proven absent."""


@dataclass(frozen=True, slots=True)
class TooLate:
    """It has its outcome already."""

    outcome: str


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Put this encoded message on the queue again."""

    message: str


@dataclass(frozen=True, slots=True)
class Make:
    """No message was ever kept: make one for this actor."""

    actor: str
    queue: str
    thread_ts: str | None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nobody needs to do anything."""


@dataclass(frozen=True, slots=True)
class DueNow:
    """Members due at `now_ms`; `next_ms` is the first due time still ahead, if any."""

    now_ms: int
    next_ms: int | None
    members: tuple[str, ...]


AcceptAnswer = Accepted | Duplicate | Conflict
DispatchAnswer = First | DispatchedBefore | Deferred | Settled | OtherThread | Unknown
ClaimAnswer = Granted | Uncertain | Wait | Settled | Unknown
IntendAnswer = Go | Lost | Settled
SentAnswer = Ok | Late | StrayPost
ReturnAnswer = Ok | Lost | Settled
AbsentAnswer = Reclaimed | Lost | TooEarly | Settled
CancelAnswer = Ok | Asked | TooLate | Unknown
SweepAnswer = Enqueue | Make | Settled | Nothing


def text_to_mapping(text: str) -> Mapping[str, str]:
    """Targets and receipts are opaque to scripts: flat JSON objects of strings."""
    return {str(name): str(value) for name, value in json.loads(text or "{}").items()}


def mapping_to_text(mapping: Mapping[str, str]) -> str:
    """Equal mappings give equal text, so that scripts can compare receipts."""
    return json.dumps(dict(mapping), sort_keys=True, separators=(",", ":"))
