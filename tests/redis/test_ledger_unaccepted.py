"""What needs no acceptance is its own request: its message is all that is known of it."""

from __future__ import annotations

from contextlib import closing

import pytest

from middleware.answers import Enqueue, Ok
from middleware.keys import Delivery
from middleware.stub_ledger import StubLedger
from middleware.timing import DAY_MS
from tests.redis.delivering import Rig
from tests.redis.ledger_calls import ACCEPTANCE, Calls


@pytest.mark.parametrize("outcome", ["rejected", "cancelled", "expired"])
def test_a_redrive_enqueues_its_message_again(rig: Rig, outcome: str) -> None:
    # Given
    rig.run(rig.dispatch("m1", create=ACCEPTANCE))
    match outcome:
        case "rejected":
            rig.run(rig.claim())
            rig.run(rig.settle_rejected())
        case "cancelled":
            rig.run(rig.cancel())
        case "expired":
            rig.clock.advance(ms=rig.timing.expires_after_ms)
            rig.run(rig.claim())
    assert rig.record()["state"] == outcome

    # When
    redriven = rig.twice(rig.redrive())
    swept = rig.run(rig.sweep())

    # Then
    assert redriven == Ok()
    assert swept == Enqueue("encoded m1"), "nothing is left to make its message from"


def test_of_what_was_sent_no_message_is_kept(rig: Rig) -> None:
    # Given
    rig.run(rig.dispatch("m1", create=ACCEPTANCE))
    rig.run(rig.claim())
    rig.run(rig.intend())

    # When
    rig.run(rig.settle_sent())

    # Then
    assert "message" not in rig.record()


def test_outcomes_older_than_the_retention_are_forgotten_where_nothing_is_accepted() -> None:
    # Given
    # No rig: it asks of each record, which this clock keeps, that its outcome can still be read.
    with closing((ledger := StubLedger()).store):
        rig = Rig(ledger, ledger.clock, Delivery("acme", "r1"))
        send_another(rig, "early")
        rig.clock.advance(ms=rig.timing.retention_ms + DAY_MS)

        # When
        send_another(rig, "late")

        # Then
        # By the server's clock, which dates events, the late one is as old.
        assert outcomes(rig) == []


def test_where_something_was_accepted_the_projector_forgets_them(rig: Rig) -> None:
    # Given
    rig.accepted()
    send_another(rig, "early")
    rig.clock.advance(ms=rig.timing.retention_ms + DAY_MS)

    # When
    send_another(rig, "late")

    # Then
    assert outcomes(rig) == ["early", "late"]


def send_another(rig: Rig, id_: str) -> None:
    calls = Calls(rig.ledger, rig.clock, Delivery(rig.delivery.tenant, id_))
    rig.ledger.run(calls.dispatch(create=ACCEPTANCE))
    rig.ledger.run(calls.claim())
    rig.ledger.run(calls.intend())
    rig.ledger.run(calls.settle_sent())


def outcomes(rig: Rig) -> list[str]:
    return [event["id"] for event in rig.snapshot().outcomes]
