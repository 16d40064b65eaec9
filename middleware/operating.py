"""What a person may order of a delivery that has ended; who ordered it, and why, is on record.

What was sent is never posted again. What may have been posted is, only if that is what the person
ordered. Calls are carried out by `Ledger.run`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from middleware.answers import Ok, TooLate, Unknown, mapping_to_text
from middleware.script import Call, Reply, Script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.keys import Delivery
    from middleware.ledger import Ledger

_REDRIVE = Script.load("middleware", "redrive", prelude="record")
_MARK_SENT = Script.load("middleware", "mark_sent", prelude="record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who wants it, and why; told to everyone, so without message text."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class InProgress:
    """It has not ended yet; nothing was written."""

    state: str


@dataclass(frozen=True, slots=True)
class MayBePosted:
    """The provider may have it, or has it, although it ended like this: nothing was written."""

    outcome: str


RedriveAnswer = Ok | InProgress | MayBePosted | TooLate | Unknown
MarkAnswer = Ok | InProgress | TooLate | Unknown


def redrive(
    ledger: Ledger, delivery: Delivery, order: Order, *, marker: str, post_again: bool = False
) -> Call[RedriveAnswer]:
    """Begin a new round, due at once; `marker` is random and new for each call.

    `post_again` is for what may have been posted, and for nothing else.
    """
    taken_for = "post again" if post_again else "never posted"
    expires_after_ms = ledger.timing.expires_after_ms
    arguments = (marker, expires_after_ms, taken_for, order.by, order.why)
    return ledger.kept(ledger.transition(_REDRIVE, delivery, _redriven, *arguments))


def mark_sent(
    ledger: Ledger, delivery: Delivery, order: Order, *, receipt: Mapping[str, str]
) -> Call[MarkAnswer]:
    """A person has found the post of what is unproven; `receipt` names it."""
    arguments = (mapping_to_text(receipt), order.by, order.why)
    return ledger.kept(ledger.transition(_MARK_SENT, delivery, _marked, *arguments))


def _redriven(reply: Reply) -> RedriveAnswer:
    match reply:
        case ["may_be_posted", outcome]:
            return MayBePosted(outcome)
    return _marked(reply)


def _marked(reply: Reply) -> MarkAnswer:
    match reply:
        case ["ok"]:
            return Ok()
        case ["in_progress", state]:
            return InProgress(state)
        case ["too_late", outcome]:
            return TooLate(outcome)
        case ["unknown"]:
            return Unknown()
    raise AssertionError(f"no script answers {reply!r}")
