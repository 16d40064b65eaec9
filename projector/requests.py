"""`request()`: from here on a message request ends in exactly one recorded outcome.

One script takes it: the event, the record and the body, all or nothing. A repeated call is told
that it was a repetition, and another request under the same id that it conflicts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from middleware.answers import AcceptAnswer, Accepted, Conflict, Duplicate
from middleware.dispatch_once import new_marker
from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery
from middleware.ledger import DEFAULT_MAX_ATTEMPTS, Acceptance, Ledger
from middleware.timing import SECOND_MS
from projector.actor_message import ACTOR_NAME, QUEUE_NAME
from projector.connection import get_ledger
from projector.errors import RequestRefused, RequestsInterrupted
from projector.message_request import MessageRequest, parse_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from middleware.script import Call
    from projector.errors import FieldProblem

__all__ = ["Accepted", "Conflict", "Duplicate", "RefusedInput", "request", "request_many"]

# Enough to hide the round trip, few enough that the largest bodies together stay below 20 MB.
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class RefusedInput:
    """Not a valid message request; nothing was accepted, and `problems` says all that is wrong."""

    problems: tuple[FieldProblem, ...]

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


Item = MessageRequest | str | bytes | Mapping[str, object]
RequestAnswer = Accepted | Duplicate | Conflict | RefusedInput


def request(*, ledger: Ledger | None = None, **fields: object) -> AcceptAnswer:
    """Ask for one message; the fields are those of `MessageRequest`, times in RFC 3339.

    Raises RequestRefused when they are not valid, and LedgerUnavailable when it is not known
    whether the request was taken: asking again is safe.
    """
    ledger = ledger or get_ledger()
    return ledger.run(_accept(ledger, parse_request(fields, now_ms=_now_ms())))


def request_many(items: Iterable[Item], *, ledger: Ledger | None = None) -> Iterator[RequestAnswer]:
    """One answer for each item, in order; items are requests, their fields, or lines of JSON.

    Lazy: it takes items as answers are asked for, a chunk ahead. Raises RequestsInterrupted,
    whose `reached` counts the answers given, when the store fails; running again is safe.
    """
    ledger = ledger or get_ledger()
    remaining = iter(items)
    reached = 0
    while chunk := list(islice(remaining, _CHUNK)):
        try:
            answers = _accept_chunk(ledger, chunk)
        except LedgerUnavailable as error:
            raise RequestsInterrupted(reached=reached, cause=str(error)) from error
        for answer in answers:
            reached += 1
            yield answer


def _accept_chunk(ledger: Ledger, chunk: list[Item]) -> list[RequestAnswer]:
    parsed = [_parse(item) for item in chunk]
    calls = [_accept(ledger, item) for item in parsed if isinstance(item, MessageRequest)]
    accepted = iter(ledger.run_many(calls))
    return [item if isinstance(item, RefusedInput) else next(accepted) for item in parsed]


def _parse(item: Item) -> MessageRequest | RefusedInput:
    if isinstance(item, MessageRequest):
        return item
    try:
        return parse_request(item, now_ms=_now_ms())
    except RequestRefused as refusal:
        return RefusedInput(refusal.problems)


def _accept(ledger: Ledger, asked: MessageRequest) -> Call[AcceptAnswer]:
    acceptance = Acceptance(
        fingerprint=asked.fingerprint(),
        marker=new_marker(),
        actor=ACTOR_NAME,
        queue=QUEUE_NAME,
        body=asked.canonical_json(),
        not_before_ms=asked.send_at_ms or 0,
        # 0 is the default's; a time of 1970 is over, which is all that matters.
        expires_at_ms=0 if asked.expires_at_ms is None else max(1, asked.expires_at_ms),
        max_attempts=asked.max_attempts or DEFAULT_MAX_ATTEMPTS,
        priority=asked.priority,
        thread_ts=asked.thread_ts,
    )
    return ledger.accept(Delivery(asked.tenant, asked.message_request_id), acceptance)


def _now_ms() -> int:
    """By the clock of this machine: it only bounds how far ahead a request may lie."""
    return int(time.time() * SECOND_MS)
