"""With the store really away nothing runs unguarded and nothing is forgotten, at every point.

The enqueue is fact 1, the boot and the receipt in hand have tests beside their likes.
"""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from dramatiq.brokers.stub import StubBroker

from middleware.errors import LedgerUnavailable
from middleware.fates import Ready
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from sandbox.servers import free_port
from tests.redis.middleware.application import Application
from tests.redis.middleware.provider import TARGET
from tests.waiting import wait_until

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock
    from tests.lossy_proxy import LossyProxy
    from tests.redis.middleware.application import Kind


def test_declaring_asks_no_store(kind: Kind) -> None:
    # Given
    with closing(Store(f"redis://127.0.0.1:{free_port()}/0")) as store:
        # When
        app = Application(Ledger(store, Keys(), Timing()), kind)

        # Then
        assert app.broker.get_declared_actors() == {"send"}


def test_sending_is_refused_while_no_store_listens() -> None:
    # Given
    with closing(Store(f"redis://127.0.0.1:{free_port()}/0")) as store:
        app = Application(Ledger(store, Keys(), Timing()))

        # When
        with pytest.raises(LedgerUnavailable):
            app.send()

    # Then
    assert app.queued() == 0


def test_called_without_a_message_an_actor_is_guarded_as_well() -> None:
    # Given
    with closing(Store(f"redis://127.0.0.1:{free_port()}/0")) as store:
        app = Application(Ledger(store, Keys(), Timing()))

        # When
        app.actor("acme", "r1")

    # Then
    assert app.provider.started == []


def test_without_a_store_to_claim_from_the_actor_does_not_run(
    ledger: Ledger, distant_ledger: Ledger, kind: Kind, proxy: LossyProxy, clock: ManualClock
) -> None:
    # Given
    app = Application(distant_ledger, kind)
    app.send()
    proxy.down()
    with app.working():
        app.join()
        started_without = len(app.provider.started)
    proxy.up()
    left = app.queued(), Application(ledger).state()

    # When
    clock.advance(ms=ledger.timing.dispatch_window_ms)
    app.sweep_and_work()

    # Then
    assert started_without == 0
    assert left == (0, "waiting"), "the message is gone, the record brings it back"
    assert app.told() == ["sent"]


def test_without_a_store_to_intend_in_nothing_is_posted_and_the_claim_goes_back(
    distant_ledger: Ledger, kind: Kind, proxy: LossyProxy, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    caplog.set_level(logging.INFO)
    app = Application(distant_ledger, kind)

    def prepared_as_the_store_goes_away() -> Ready:
        proxy.down()
        return Ready(TARGET, "hello")

    app.provider.prepares.come(prepared_as_the_store_goes_away)

    # When
    with app.working():
        app.send()
        wait_until(lambda: "ledger_unavailable" in caplog.text, description="it is not answered")
        proxy.up()
        app.join()

    # Then
    assert app.provider.posts == []
    assert app.state() == "waiting"
    assert app.record()["attempts"] == "0"


def test_without_a_store_to_doubt_in_the_doubt_comes_with_the_leases_end(
    ledger: Ledger, distant_ledger: Ledger, kind: Kind, proxy: LossyProxy, clock: ManualClock
) -> None:
    # Given
    app = Application(distant_ledger, kind)

    def fails_as_the_store_goes_away() -> None:
        proxy.down()
        raise TimeoutError

    app.provider.takes.come(fails_as_the_store_goes_away)
    with app.working():
        app.send()
        app.join()
    proxy.up()

    # When
    clock.advance(ms=ledger.timing.lease_ms)
    app.sweep()

    # Then
    assert app.state() == "uncertain"
    assert len(app.provider.posts) == 1
    assert isinstance(app.broker, StubBroker)
    assert app.broker.dead_letters == []
