"""The middleware alone, with nothing of Slack: invoices are charged once, whatever breaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from middleware.delivery_key import DeliveryKey
from middleware.dispatch_once import DispatchOnce
from middleware.errors import AlreadyDispatched, AlreadySettled, NotDueYet
from middleware.fates import Absent, Found, NotNow, Posted, Ready, Refused
from middleware.send_lock import SendLock, current_claim
from middleware.stub_ledger import StubLedger
from middleware.sweeper import Sweeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.fates import LookAnswer, PostAnswer, Prepared
    from middleware.post_by import PostBy

CENTS = {"inv-7": 4_200}
MINUTE_MS = 60_000


class BankClosed(Exception):
    """Nothing was charged: come back later."""


@dataclass
class Bank:
    """Charges whenever it is asked to, as banks do; it can be asked what it charged."""

    charges: dict[str, int] = field(default_factory=dict)
    is_closed: bool = False
    line_breaks: str = "never"  # or "before" the charge, or "after" it

    def charge(self, reference: str, cents: int, *, timeout_s: float) -> str:
        assert timeout_s > 0
        if self.is_closed:
            raise BankClosed
        breaks, self.line_breaks = self.line_breaks, "never"
        if breaks == "before":
            raise TimeoutError
        number = f"charge-{len(self.charges) + 1}"
        self.charges[f"{reference}/{number}"] = cents
        if breaks == "after":
            raise TimeoutError
        return number

    def find(self, reference: str) -> str | None:
        numbers = [each.removeprefix(f"{reference}/") for each in self.charges]
        return numbers[0] if numbers else None


def declare_charge_invoice(broker: dramatiq.Broker, bank: Bank) -> dramatiq.Actor[..., Any]:
    key = DeliveryKey(tenant="shop", id="invoice_id")

    @dramatiq.actor(broker=broker, dispatch_once=key, send_lock=key)
    def charge_invoice(shop: str, invoice_id: str) -> None:
        claim = current_claim()

        def prepare() -> Prepared:
            if invoice_id not in CENTS:
                return Refused("invoice_unknown", "There is no such invoice.")
            return Ready({"shop": shop}, CENTS[invoice_id])

        def post(_target: Mapping[str, str], cents: int, post_by: PostBy) -> PostAnswer:
            try:
                number = bank.charge(claim.marker, cents, timeout_s=post_by.remaining_s())
            except BankClosed:
                return NotNow("bank_closed", delay_ms=5 * MINUTE_MS)
            # Whatever else it raises: nobody knows whether it charged, and nobody guesses.
            return Posted({"charge": number})

        def look(_target: Mapping[str, str], _intent_at_ms: int) -> LookAnswer:
            number = bank.find(claim.marker)
            return Absent() if number is None else Found({"charge": number})

        claim.perform(prepare, post, look)

    return charge_invoice


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def ledger() -> StubLedger:
    return StubLedger()


@pytest.fixture
def charge_invoice(ledger: StubLedger, bank: Bank) -> dramatiq.Actor[..., Any]:
    broker = StubBroker(middleware=[DispatchOnce(ledger), SendLock(ledger)])
    return declare_charge_invoice(broker, bank)


def work(ledger: StubLedger, actor: dramatiq.Actor[..., Any]) -> None:
    """Do all there is to do now. A running worker sweeps by itself, every second."""
    Sweeper(ledger, actor.broker).sweep()
    worker = dramatiq.Worker(actor.broker, worker_timeout=10)
    worker.start()
    actor.broker.join(actor.queue_name)
    worker.join()
    worker.stop()


def outcome_of(actor: dramatiq.Actor[..., Any], *invoice: str) -> str:
    with pytest.raises(AlreadySettled) as settled:
        actor.send(*invoice)
    return settled.value.outcome


def test_an_invoice_that_is_sent_twice_is_charged_once(
    charge_invoice: dramatiq.Actor[..., Any], ledger: StubLedger, bank: Bank
) -> None:
    # Given
    charge_invoice.send("shop", "inv-7")

    # When
    with pytest.raises(AlreadyDispatched):
        charge_invoice.send("shop", "inv-7")
    work(ledger, charge_invoice)

    # Then
    assert list(bank.charges.values()) == [4_200]
    assert outcome_of(charge_invoice, "shop", "inv-7") == "sent"


@pytest.mark.parametrize("line_breaks", ["before", "after"])
def test_when_the_line_breaks_the_bank_is_asked_before_it_is_charged_again(
    charge_invoice: dramatiq.Actor[..., Any], ledger: StubLedger, bank: Bank, line_breaks: str
) -> None:
    # Given
    bank.line_breaks = line_breaks
    charge_invoice.send("shop", "inv-7")
    work(ledger, charge_invoice)

    # When
    ledger.clock.advance(ms=2 * MINUTE_MS)
    work(ledger, charge_invoice)

    # Then
    assert list(bank.charges.values()) == [4_200]
    assert outcome_of(charge_invoice, "shop", "inv-7") == "sent"


def test_while_the_bank_is_closed_an_invoice_waits(
    charge_invoice: dramatiq.Actor[..., Any], ledger: StubLedger, bank: Bank
) -> None:
    # Given
    bank.is_closed = True
    charge_invoice.send("shop", "inv-7")
    work(ledger, charge_invoice)
    with pytest.raises(NotDueYet):
        charge_invoice.send("shop", "inv-7")

    # When
    bank.is_closed = False
    ledger.clock.advance(ms=5 * MINUTE_MS)
    work(ledger, charge_invoice)

    # Then
    assert list(bank.charges.values()) == [4_200]


def test_an_invoice_that_is_unknown_is_rejected(
    charge_invoice: dramatiq.Actor[..., Any], ledger: StubLedger, bank: Bank
) -> None:
    # Given
    charge_invoice.send("shop", "inv-8")

    # When
    work(ledger, charge_invoice)

    # Then
    assert outcome_of(charge_invoice, "shop", "inv-8") == "rejected"
    assert bank.charges == {}


def test_a_queue_that_lost_the_message_loses_no_invoice(
    charge_invoice: dramatiq.Actor[..., Any], ledger: StubLedger, bank: Bank
) -> None:
    # Given
    charge_invoice.send("shop", "inv-7")
    charge_invoice.broker.flush_all()

    # When
    ledger.clock.advance(ms=2 * MINUTE_MS)
    work(ledger, charge_invoice)

    # Then
    assert list(bank.charges.values()) == [4_200]
