"""A real interrupt while the store does not answer: what is said to it late, is said in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.fates import Ready
from middleware.ledger import Ledger
from tests.redis.middleware.application import Application
from tests.redis.middleware.interrupting import QUICK, Lasting, boot_process, time_limit
from tests.redis.middleware.provider import TARGET
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lossy_proxy import LossyProxy
    from tests.redis.middleware.application import Kind


def _slow(distant_ledger: Ledger, kind: Kind) -> Application:
    quick = Ledger(distant_ledger.store, distant_ledger.keys, QUICK)
    app = Application(quick, kind, others=(time_limit(),))
    boot_process(app)
    return app


def _stalls_when_prepared(app: Application, proxy: LossyProxy, _kind: Kind) -> None:
    def prepares() -> Ready:
        proxy.stall()
        return Ready(TARGET, "hello")

    app.provider.prepares.come(prepares)


def _stalls_while_posting(app: Application, proxy: LossyProxy, kind: Kind) -> None:
    lasting = Lasting(kind)

    def posts() -> object:
        proxy.stall()
        return lasting()

    app.provider.takes.come(posts)


@pytest.mark.parametrize(
    ("stalls", "state"),
    [(_stalls_when_prepared, "waiting"), (_stalls_while_posting, "uncertain")],
)
def test_an_interrupt_while_the_store_is_slow_records_what_is_true(
    ledger: Ledger,
    distant_ledger: Ledger,
    proxy: LossyProxy,
    kind: Kind,
    caplog: pytest.LogCaptureFixture,
    stalls: Callable[[Application, LossyProxy, Kind], None],
    state: str,
) -> None:
    # Given
    app = _slow(distant_ledger, kind)
    direct = Application(ledger)
    stalls(app, proxy, kind)

    # When
    with app.working():
        app.send()
        wait_until(lambda: "Time limit exceeded" in caplog.text, description="the interrupt")
        proxy.flow()

        # Then
        wait_until(lambda: direct.state() == state, description=f"it is {state}")
        app.join()
    assert len(app.provider.posts) == (1 if state == "uncertain" else 0)


def test_a_doubt_that_takes_longer_than_dramatiq_waits_is_recorded_all_the_same(
    ledger: Ledger, distant_ledger: Ledger, proxy: LossyProxy
) -> None:
    # Given
    app = _slow(distant_ledger, "async")
    direct = Application(ledger)
    _stalls_while_posting(app, proxy, "async")

    # When
    with app.working():
        app.send()
        app.join()
        state_meanwhile = direct.state()
        proxy.flow()

        # Then
        wait_until(lambda: direct.state() == "uncertain", description="the doubt is recorded")
    assert state_meanwhile == "sending"
