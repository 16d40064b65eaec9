"""A receipt outlives whoever held it: the process tells it for as long as it lives."""

from __future__ import annotations

import asyncio
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING

import pytest
from dramatiq.middleware import Middleware, Shutdown
from redis.exceptions import ResponseError

from middleware.dispatch_once import DispatchOnce
from middleware.errors import LedgerUnavailable
from middleware.fates import CannotTell, NotNow, PostAnswer, Posted, Refused
from middleware.ledger import Ledger
from middleware.receipts_in_hand import ReceiptsInHand
from tests.redis.ledger_calls import RECEIPT
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.interrupting import (
    QUICK,
    boot_process,
    shutdown_notifications,
    time_limit,
    wait_for,
)
from tests.redis.middleware.stores import InterruptedStore
from tests.waiting import wait_until

if TYPE_CHECKING:
    from dramatiq import Broker, Worker

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


class _Telling:
    """Tells the receipts of "one" and "other", in this order; it is away, or fails for "one"."""

    def __init__(self, ledger: Ledger) -> None:
        self.asked: list[object] = []
        self.failing: dict[object, Exception] = {}
        self._ledger = ledger
        self._receipts = ReceiptsInHand()
        for token in ("one", "other"):
            self._receipts.keep(ledger.settle_sent(R1, token=token, receipt=RECEIPT))

    def turn(self) -> None:
        self._receipts.tell(self._run, self._ledger.store)

    def _run(self, call: Call[SentAnswer]) -> SentAnswer:
        # What every transition is told: tenant, id, retention; then the token.
        token = call.arguments[3]
        self.asked.append(token)
        if token in self.failing:
            raise self.failing[token]
        return self._ledger.run(call)


def _unavailable(cause: Exception) -> LedgerUnavailable:
    error = LedgerUnavailable()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("error", [RuntimeError(), _unavailable(ResponseError("WRONGTYPE"))])
def test_a_receipt_that_cannot_be_told_lets_the_others_be_told(
    ledger: Ledger, error: Exception
) -> None:
    # Given
    telling = _Telling(ledger)
    telling.failing["one"] = error
    telling.turn()
    after_first = list(telling.asked)

    # When
    telling.failing.clear()
    telling.turn()

    # Then
    assert after_first == ["one", "other"]
    assert telling.asked == ["one", "other", "one"]


def test_a_store_that_is_away_is_asked_once_a_turn(ledger: Ledger) -> None:
    # Given
    telling = _Telling(ledger)
    telling.failing.update(dict.fromkeys(("one", "other"), _unavailable(OSError())))

    # When
    telling.turn()

    # Then
    assert telling.asked == ["one"]


def test_a_worker_that_is_told_to_end_tells_its_receipt_a_last_time(
    ledger: Ledger, distant_ledger: Ledger, proxy: LossyProxy, kind: Kind
) -> None:
    # Given
    app = Application(distant_ledger, kind, others=(shutdown_notifications(),))
    direct = Application(ledger)
    posted = Event()

    def posts() -> Posted:
        proxy.down()
        posted.set()
        return Posted(RECEIPT)

    app.provider.takes.come(posts)
    # What is added last is cleared up after first.
    app.broker.add_middleware(_StoreComesBack(proxy))

    # When
    with app.working():
        app.send()
        wait_for(posted, "it is posted")

    # Then
    assert direct.state() == "sent"


class _StoreComesBack(Middleware):
    """When the workers have ended, and before they are cleared up after."""

    def __init__(self, proxy: LossyProxy) -> None:
        self._proxy = proxy

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self._proxy.up()


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
