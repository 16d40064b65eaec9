"""A receipt outlives whoever held it: the process tells it for as long as it lives."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from dramatiq.middleware import Shutdown

from middleware.dispatch_once import DispatchOnce
from middleware.errors import LedgerUnavailable
from middleware.fates import CannotTell, NotNow, PostAnswer, Posted, Refused
from middleware.ledger import Ledger
from middleware.receipts_in_hand import ReceiptsInHand
from tests.redis.ledger_calls import RECEIPT
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.interrupting import QUICK, boot_process, time_limit
from tests.redis.middleware.stores import InterruptedStore
from tests.waiting import wait_until

if TYPE_CHECKING:
    from middleware.answers import SentAnswer
    from middleware.script import Call
    from middleware.stub_ledger import ManualClock
    from sandbox.servers import ValkeyProcess
    from tests.lossy_proxy import LossyProxy
    from tests.redis.middleware.application import Kind


def test_a_receipt_outlives_the_time_limit_of_an_actor_whose_store_is_away(
    ledger: Ledger,
    distant_ledger: Ledger,
    proxy: LossyProxy,
    kind: Kind,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given
    quick = Ledger(distant_ledger.store, distant_ledger.keys, QUICK)
    app = Application(quick, kind, dispatcher=DispatchOnce, others=(time_limit(),))
    boot_process(app)
    direct = Application(ledger)

    def posts() -> Posted:
        proxy.down()
        return Posted(RECEIPT)

    app.provider.takes.come(posts)

    # When
    with app.working():
        app.send()
        wait_until(
            lambda: "receipt_in_hand" in caplog.text, description="it gives up", timeout_s=20.0
        )
        proxy.up()

        # Then
        wait_until(
            lambda: direct.state() == "sent",
            description=lambda: f"the process tells it; it is {direct.state()}",
        )


def test_a_receipt_that_cannot_be_told_lets_the_others_be_told(ledger: Ledger) -> None:
    # Given
    receipts = ReceiptsInHand()
    calls = [ledger.settle_sent(R1, token=token, receipt=RECEIPT) for token in ("one", "other")]
    for call in calls:
        receipts.keep(call)
    told: list[Call[SentAnswer]] = []

    def fails_for_the_first(call: Call[SentAnswer]) -> SentAnswer:
        if call is calls[0] and not told:
            raise RuntimeError
        told.append(call)
        return ledger.run(call)

    # When
    receipts.tell(fails_for_the_first)
    receipts.tell(fails_for_the_first)

    # Then
    assert told == [calls[1], calls[0]]


def test_receipts_wait_in_order_for_a_store_that_is_away(ledger: Ledger) -> None:
    # Given
    receipts = ReceiptsInHand()
    calls = [ledger.settle_sent(R1, token=token, receipt=RECEIPT) for token in ("one", "other")]
    for call in calls:
        receipts.keep(call)
    asked: list[Call[SentAnswer]] = []

    def is_away(call: Call[SentAnswer]) -> SentAnswer:
        asked.append(call)
        raise LedgerUnavailable

    # When
    receipts.tell(is_away)
    receipts.tell(is_away)

    # Then
    assert asked == [calls[0], calls[0]]


@pytest.mark.parametrize(
    ("answer", "script", "state"),
    [
        (NotNow("rate_limited", 1_000), "postpone", "waiting"),
        (Refused("msg_too_long", "It is too long."), "settle_rejected", "rejected"),
    ],
)
def test_that_nothing_was_posted_is_told_once_more_after_an_interrupt(
    valkey: ValkeyProcess,
    ledger: Ledger,
    clock: ManualClock,
    kind: Kind,
    answer: PostAnswer,
    script: str,
    state: str,
) -> None:
    # Given
    interrupt = Shutdown() if kind == "sync" else asyncio.CancelledError()
    with closing(
        InterruptedStore(valkey.url, clock, script=script, interrupt=interrupt, has_run=False)
    ) as store:
        app = Application(Ledger(store, ledger.keys, ledger.timing), kind)
        app.provider.takes.come(answer)
        app.provider.looks.come(CannotTell("no_scope", final=True))

        # When
        app.send_and_work()

        # Then
        assert app.state() == state, f"it is {app.state()}, though nothing was posted"
