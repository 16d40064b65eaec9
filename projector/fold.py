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
    from collections.abc import Mapping, Sequence

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


def fold(ledger: Ledger, logged: LoggedEvent, event: Event, *, generation: int) -> Call[FoldAnswer]:
    """Into a generation that is neither current nor being built nothing is written: a Gap."""
    into = _Views(ledger, logged, generation)
    match event:
        case MessageRequested():
            return into.requested(event)
        case Outcome(event="redriven"):
            return into.redriven(event)
        case Outcome():
            return into.outcome(event)
        case TenantConfigured(tenant=tenant):
            return into.call(_FOLD_CONFIGURED, (ledger.keys.known(logged.partition),), tenant)
        case unreachable:
            assert_never(unreachable)


def quarantine(
    ledger: Ledger, logged: LoggedEvent, *, error: str, generation: int
) -> Call[FoldAnswer]:
    """`error` is kept and logged: names and codes only, nothing that the event says.

    Of each generation its own: an event that a later version can read is set aside no longer.
    """
    keys = (ledger.keys.quarantine(logged.partition, generation),)
    return _Views(ledger, logged, generation).call(_QUARANTINE, keys, error, QUARANTINE_LIMIT)


@dataclass(frozen=True, slots=True)
class _Views:
    """Where one event of the log goes: the views of one generation."""

    ledger: Ledger
    logged: LoggedEvent
    generation: int

    def requested(self, event: MessageRequested) -> Call[FoldAnswer]:
        asked = event.request
        details = {"channel_code": asked.channel_code, "template_code": asked.template_code}
        names = [self._record(event), *self._listed(event.tenant, (OPEN, *ENDED))]
        at_ms = self.logged.logged_at_ms
        return self._into(_FOLD_REQUESTED, event, names, at_ms=at_ms, details=details)

    def outcome(self, event: Outcome) -> Call[FoldAnswer]:
        details = {
            "attempts": event.attempts,
            "error": event.error,
            "reason": event.reason,
            "receipt": event.receipt,
            "by": event.by,
            "why": event.why,
        }
        names = [self._record(event)]
        # A stray post changes what a person must know, not how the request ended.
        if event.event in ENDED:
            others = [status for status in (OPEN, *ENDED) if status != event.event]
            names += self._listed(event.tenant, (event.event, *others))
        return self._into(_FOLD_OUTCOME, event, names, at_ms=event.at_ms, details=details)

    def redriven(self, event: Outcome) -> Call[FoldAnswer]:
        details = {"by": event.by, "why": event.why, "reason": event.reason}
        names = self._listed(event.tenant, (OPEN, *ENDED))
        return self._into(_FOLD_REDRIVEN, event, names, at_ms=event.at_ms, details=details)

    def call(self, script: Script, keys: Sequence[str], *arguments: str | int) -> Call[FoldAnswer]:
        logged = self.logged
        projection = self.ledger.keys.projection(logged.partition)
        place = (self.generation, logged.stream, logged.after, logged.id)
        return Call(script, (projection, *keys), (*place, *arguments), _decode)

    def _into(
        self,
        script: Script,
        event: MessageRequested | Outcome,
        names: Sequence[str],
        *,
        at_ms: int,
        details: Mapping[str, object],
    ) -> Call[FoldAnswer]:
        keys = self.ledger.keys
        delivery = Delivery(event.tenant, event.message_request_id)
        present = {name: value for name, value in details.items() if value is not None}
        entry = compact_json([at_ms, event.event, present])
        known, timeline = (
            keys.known(self.logged.partition),
            keys.timeline(delivery, self.generation),
        )
        arguments = (event.tenant, delivery.id, entry, at_ms, self.ledger.timing.retention_ms)
        return self.call(script, (known, timeline, *names), *arguments)

    def _record(self, event: MessageRequested | Outcome) -> str:
        return self.ledger.keys.delivery(Delivery(event.tenant, event.message_request_id))

    def _listed(self, tenant: str, statuses: Sequence[str]) -> list[str]:
        keys = self.ledger.keys
        return [keys.listed(tenant, status, self.generation) for status in statuses]


def _decode(reply: Reply) -> FoldAnswer:
    match reply:
        case ["applied"]:
            return Applied()
        case ["seen"]:
            return Seen()
        case ["gap", position]:
            return Gap(position)
    raise AssertionError(f"no fold answers {reply!r}")
