"""Ways of a delivery that need every script of the ledger, for what is tried with all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from middleware import answers
from tests.redis.ledger_calls import Calls

if TYPE_CHECKING:
    from middleware.script import Call

# What is called, and what it answers; or how long nothing is called.
Step = tuple[Callable[[Calls], "Call[Any]"], type] | int


def due_tenants(calls: Calls) -> Call[answers.DueNow]:
    partition = calls.ledger.keys.partition_of(calls.delivery.tenant)
    return calls.ledger.due_tenants(partition, limit=10)


def due_deliveries(calls: Calls) -> Call[answers.DueNow]:
    return calls.ledger.due_deliveries(calls.delivery.tenant, limit=10)


STRAIGHT: tuple[Step, ...] = (
    (Calls.accept, answers.Accepted),
    (Calls.dispatch, answers.First),
    (Calls.claim, answers.Granted),
    (Calls.intend, answers.Go),
    (Calls.settle_sent, answers.Ok),
)
REJECTED: tuple[Step, ...] = (
    (Calls.accept, answers.Accepted),
    (Calls.claim, answers.Granted),
    (Calls.postpone, answers.Ok),
    5_000,
    (Calls.claim, answers.Granted),
    (Calls.settle_rejected, answers.Ok),
)
CANCELLED: tuple[Step, ...] = (
    (Calls.accept, answers.Accepted),
    (Calls.cancel, answers.Ok),
    (Calls.redrive, answers.Ok),
    (Calls.claim, answers.Granted),
    (Calls.cancel, answers.Ok),
)
IN_DOUBT: tuple[Step, ...] = (
    (Calls.accept, answers.Accepted),
    60_000,
    (due_tenants, answers.DueNow),
    (due_deliveries, answers.DueNow),
    (Calls.sweep, answers.Make),
    (Calls.not_dispatched, answers.Ok),
    (Calls.claim, answers.Granted),
    (Calls.intend, answers.Go),
    (Calls.doubt, answers.Ok),
    70_000,
    (Calls.claim, answers.Uncertain),
    (Calls.look_later, answers.Ok),
    15_000,
    (Calls.claim, answers.Uncertain),
    (Calls.absent, answers.Reclaimed),
    (Calls.intend, answers.Go),
    (Calls.doubt, answers.Ok),
    70_000,
    (Calls.claim, answers.Uncertain),
    (Calls.give_up, answers.Ok),
    (Calls.mark_sent, answers.Ok),
)
WAYS = {"straight": STRAIGHT, "rejected": REJECTED, "cancelled": CANCELLED, "in doubt": IN_DOUBT}
