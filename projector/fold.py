"""A view is written together with its position, or not at all: replaying the log changes nothing.

One script folds one event. It names the event before it, so that in a pipeline no failed fold can
be jumped over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from middleware.keys import Delivery
from middleware.script import Call, Reply, Script
from projector.events import Event, MessageRequested, Outcome, TenantConfigured
from projector.json_text import compact_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.ledger import Ledger
    from projector.event_log import LoggedEvent

OPEN = "open"
# Where a request is listed once it has ended; an unproven one may still move to sent.
ENDED = ("sent", "rejected", "expired", "cancelled", "unproven")
# Bad events are kept for a person to look at; a flood of them must not fill the store.
QUARANTINE_LIMIT = 10_000

_FOLD_REQUESTED = Script.load("projector", "fold_requested", prelude="position")
_FOLD_OUTCOME = Script.load("projector", "fold_outcome", prelude="position")
_FOLD_REDRIVEN = Script.load("projector", "fold_redriven", prelude="position")
_FOLD_CONFIGURED = Script.load("projector", "fold_configured", prelude="position")
_QUARANTINE = Script.load("projector", "quarantine", prelude="position")


@dataclass(frozen=True, slots=True)
class Applied:
    """The views hold the event and the position is at it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The position was at the event, or past it, already."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The position is not at the event before; nothing was written. Read again from `position`."""

    position: str


FoldAnswer = Applied | Seen | Gap


def fold(ledger: Ledger, logged: LoggedEvent, event: Event) -> Call[FoldAnswer]:
    match event:
        case MessageRequested():
            return _fold_requested(ledger, logged, event)
        case Outcome(event="redriven"):
            return _fold_redriven(ledger, logged, event)
        case Outcome():
            return _fold_outcome(ledger, logged, event)
        case TenantConfigured(tenant=tenant):
            keys = (ledger.keys.known(logged.partition),)
            return _call(_FOLD_CONFIGURED, ledger, logged, keys, tenant)
        case unreachable:
            assert_never(unreachable)


def quarantine(ledger: Ledger, logged: LoggedEvent, *, error: str) -> Call[FoldAnswer]:
    """`error` is kept and logged: names and codes only, nothing that the event says."""
    keys = (ledger.keys.quarantine(logged.partition),)
    return _call(_QUARANTINE, ledger, logged, keys, error, QUARANTINE_LIMIT)


def _fold_requested(
    ledger: Ledger, logged: LoggedEvent, event: MessageRequested
) -> Call[FoldAnswer]:
    asked = event.request
    details = {"channel_code": asked.channel_code, "template_code": asked.template_code}
    at_ms = logged.logged_at_ms
    names = [ledger.keys.listed(event.tenant, status) for status in (OPEN, *ENDED)]
    names.insert(1, ledger.keys.delivery(Delivery(event.tenant, event.message_request_id)))
    return _fold_into_views(
        _FOLD_REQUESTED, ledger, logged, event, names, at_ms=at_ms, details=details
    )


def _fold_outcome(ledger: Ledger, logged: LoggedEvent, event: Outcome) -> Call[FoldAnswer]:
    details = {
        "attempts": event.attempts,
        "error": event.error,
        "reason": event.reason,
        "receipt": event.receipt,
    }
    lists: list[str] = []
    # A stray post changes what a person must know, not how the request ended.
    if event.event in ENDED:
        others = [status for status in (OPEN, *ENDED) if status != event.event]
        lists = [ledger.keys.listed(event.tenant, status) for status in (event.event, *others)]
    return _fold_into_views(
        _FOLD_OUTCOME, ledger, logged, event, lists, at_ms=event.at_ms, details=details
    )


def _fold_redriven(ledger: Ledger, logged: LoggedEvent, event: Outcome) -> Call[FoldAnswer]:
    details = {"by": event.by, "why": event.why}
    lists = [ledger.keys.listed(event.tenant, status) for status in (OPEN, *ENDED)]
    return _fold_into_views(
        _FOLD_REDRIVEN, ledger, logged, event, lists, at_ms=event.at_ms, details=details
    )


def _fold_into_views(
    script: Script,
    ledger: Ledger,
    logged: LoggedEvent,
    event: MessageRequested | Outcome,
    names: list[str],
    *,
    at_ms: int,
    details: Mapping[str, object],
) -> Call[FoldAnswer]:
    timeline = ledger.keys.timeline(Delivery(event.tenant, event.message_request_id))
    present = {name: value for name, value in details.items() if value is not None}
    entry = compact_json([at_ms, event.event, present])
    keys = (ledger.keys.known(logged.partition), timeline, *names)
    arguments = (event.tenant, event.message_request_id, entry, at_ms)
    return _call(script, ledger, logged, keys, *arguments, ledger.timing.retention_ms)


def _call(
    script: Script,
    ledger: Ledger,
    logged: LoggedEvent,
    keys: tuple[str, ...],
    *arguments: str | int,
) -> Call[FoldAnswer]:
    position = ledger.keys.position(logged.partition)
    place = (logged.stream, logged.after, logged.id)
    return Call(script, (position, *keys), (*place, *arguments), _decode)


def _decode(reply: Reply) -> FoldAnswer:
    match reply:
        case ["applied"]:
            return Applied()
        case ["seen"]:
            return Seen()
        case ["gap", position]:
            return Gap(position)
    raise AssertionError(f"no fold answers {reply!r}")
