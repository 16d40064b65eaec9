"""What can be asked of the ledger: each question is one call of its own scripts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from middleware.epochs import enter_epoch
from middleware.keys import Delivery, Keys
from middleware.ledger import Acceptance, Ledger
from middleware.operating import Order, mark_sent, redrive
from middleware.store import Store
from middleware.timing import SECOND_MS, Timing

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.script import Call

TICK_MS = SECOND_MS
# Almost as short as the contract allows, so that few instants lie between any two of them.
TIMING = Timing(
    post_deadline_ms=2 * TICK_MS,
    lease_ms=3 * TICK_MS,
    settle_delay_ms=2 * TICK_MS,
    dispatch_window_ms=2 * TICK_MS,
    reconcile_limit_ms=2 * TICK_MS,
    expires_after_ms=8 * TICK_MS,
)
LONGEST_WINDOW_MS = 2 * TIMING.dispatch_window_ms
# What comes back waits for one instant.
DELAY_MS = TICK_MS
MAX_ATTEMPTS = 2
MOST_UNHEARD_LOOKS = 2
DELIVERY = Delivery("acme", "r1")
_ORDER = Order(by="somebody", why="it is needed")

# The name of a script, and what is told to it.
Question = tuple[str | int, ...]


class Questions:
    """The ledger's calls about the one delivery."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.partition = keys.partition_of(DELIVERY.tenant)
        # Calls are made by it, and carried out elsewhere: this store is never connected to.
        self._ledger = Ledger(Store("unix:///dev/null"), keys, TIMING)

    def call(self, question: Question) -> Call[Any]:
        name, *told = question
        call = _CALLS[str(name)](self._ledger, *map(str, told))
        if name == "sweep":
            # With a longest window that a search can wait for.
            return replace(call, arguments=(*call.arguments[:-1], LONGEST_WINDOW_MS))
        if name == "claim":
            return replace(call, arguments=(*call.arguments[:-1], MOST_UNHEARD_LOOKS))
        return call


def receipt_of(place: str) -> dict[str, str]:
    """Of the post with this number."""
    return {"channel": "C", "ts": f"17.{place}"}


def _accept(ledger: Ledger, marker: str) -> Call[Any]:
    acceptance = Acceptance(
        fingerprint="fingerprint",
        marker=marker,
        actor="send_message",
        queue="slack",
        body="{}",
        max_attempts=MAX_ATTEMPTS,
    )
    return ledger.accept(DELIVERY, acceptance)


def _intend(ledger: Ledger, token: str, channel: str) -> Call[Any]:
    return ledger.intend(DELIVERY, token=token, target={"channel": channel})


def _settle_sent(ledger: Ledger, token: str, *places: str) -> Call[Any]:
    receipt, *duplicates = map(receipt_of, places)
    return ledger.settle_sent(DELIVERY, token=token, receipt=receipt, duplicates=duplicates)


def _settle_rejected(ledger: Ledger, token: str) -> Call[Any]:
    reason = "the channel is archived"
    return ledger.settle_rejected(DELIVERY, token=token, error="is_archived", reason=reason)


def _postpone(ledger: Ledger, token: str, attempt: str) -> Call[Any]:
    return ledger.postpone(
        DELIVERY,
        token=token,
        reason="ratelimited",
        delay_ms=DELAY_MS,
        attempt_used=attempt == "used",
    )


def _look_later(ledger: Ledger, token: str, kind: str) -> Call[Any]:
    return ledger.look_later(
        DELIVERY, token=token, delay_ms=DELAY_MS, completed=kind == "completed", why="lag"
    )


def _give_up(ledger: Ledger, token: str) -> Call[Any]:
    reason = "nobody may read there"
    return ledger.give_up(DELIVERY, token=token, error="missing_scope", reason=reason)


def _absent(ledger: Ledger, token: str, read_begun_ms: str) -> Call[Any]:
    return ledger.absent(DELIVERY, token=token, read_begun_ms=int(read_begun_ms))


def _redrive(ledger: Ledger, marker: str, taken_for: str) -> Call[Any]:
    post_again = taken_for == "post again"
    return redrive(ledger, DELIVERY, _ORDER, marker=marker, post_again=post_again)


_CALLS: dict[str, Callable[..., Call[Any]]] = {
    "accept": _accept,
    "dispatch": lambda ledger, message_id: ledger.dispatch(
        DELIVERY, message_id=message_id, message=message_id
    ),
    "claim": lambda ledger, token: ledger.claim(DELIVERY, token=token, by="worker"),
    "intend": _intend,
    "settle_sent": _settle_sent,
    "settle_rejected": _settle_rejected,
    "postpone": _postpone,
    "doubt": lambda ledger, token: ledger.doubt(DELIVERY, token=token, why="timeout"),
    "absent": _absent,
    "look_later": _look_later,
    "give_up": _give_up,
    "cancel": lambda ledger: ledger.cancel(DELIVERY),
    "redrive": _redrive,
    "mark_sent": lambda ledger, place: mark_sent(
        ledger, DELIVERY, _ORDER, receipt=receipt_of(place)
    ),
    "sweep": lambda ledger: ledger.sweep(DELIVERY),
    "not_dispatched": lambda ledger: ledger.not_dispatched(DELIVERY),
    "due_tenants": lambda ledger: ledger.due_tenants(
        ledger.keys.partition_of(DELIVERY.tenant), limit=1
    ),
    "due": lambda ledger: ledger.due_deliveries(DELIVERY.tenant, limit=1),
    "enter_epoch": lambda ledger: enter_epoch(
        ledger.keys, TIMING, ledger.keys.partition_of(DELIVERY.tenant), is_durable=False
    ),
}
