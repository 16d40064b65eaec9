"""An interrupt while the ledger is asked: whether the script ran or not, nobody is left behind."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from dramatiq.middleware import Shutdown

from middleware.fates import Posted
from middleware.ledger import Ledger
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.stores import InterruptedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from middleware.stub_ledger import ManualClock
    from sandbox.servers import ValkeyProcess
    from tests.redis.middleware.application import Kind

Interrupted = "Callable[[str], Application]"


@pytest.fixture(params=[False, True], ids=["before it ran", "after it ran"])
def interrupted(
    request: pytest.FixtureRequest,
    valkey: ValkeyProcess,
    ledger: Ledger,
    kind: Kind,
    clock: ManualClock,
) -> Iterator[Callable[[str], Application]]:
    """An application whose first question by this script is interrupted."""
    stores: list[InterruptedStore] = []

    def application(script: str) -> Application:
        # As Dramatiq interrupts a thread, and as it interrupts a coroutine.
        interrupt = Shutdown() if kind == "sync" else asyncio.CancelledError()
        store = InterruptedStore(
            valkey.url, clock, script=script, interrupt=interrupt, has_run=request.param
        )
        stores.append(store)
        return Application(Ledger(store, ledger.keys, ledger.timing), kind)

    yield application
    for store in stores:
        with closing(store):
            pass


def test_interrupted_claiming_it_runs_nothing_and_is_sent_later(
    interrupted: Callable[[str], Application], clock: ManualClock
) -> None:
    # Given
    app = interrupted("claim")
    app.send_and_work()
    started_before = len(app.provider.started)

    # When
    clock.advance(ms=app.ledger.timing.dispatch_window_ms)
    app.sweep_and_work()

    # Then
    assert started_before == 0
    assert app.told() == ["sent"]
    assert len(app.provider.posts) == 1


def test_interrupted_at_the_intent_nothing_is_posted_and_it_is_sent_later(
    interrupted: Callable[[str], Application], clock: ManualClock
) -> None:
    # Given
    app = interrupted("intend")
    app.send_and_work()
    before = app.state(), len(app.provider.posts)

    # When
    clock.advance(ms=1_000)
    app.sweep_and_work()

    # Then
    assert before == ("waiting", 0)
    assert app.told() == ["sent"]
    assert len(app.provider.posts) == 1


def test_interrupted_with_a_receipt_in_hand_it_is_recorded_all_the_same(
    interrupted: Callable[[str], Application],
) -> None:
    # Given
    app = interrupted("settle_sent")
    app.provider.takes.come(Posted({"ts": "170.01"}))

    # When
    app.send_and_work()

    # Then
    assert app.told() == ["sent"]
    assert app.record()["receipt"] == '{"ts":"170.01"}'


def test_interrupted_while_doubting_it_is_looked_for_after_the_lease(
    interrupted: Callable[[str], Application], clock: ManualClock
) -> None:
    # Given
    app = interrupted("doubt")
    app.provider.takes.come(TimeoutError())
    app.send_and_work()

    # When
    timing = app.ledger.timing
    clock.advance(ms=timing.lease_ms)
    app.sweep()
    clock.advance(ms=timing.post_deadline_ms + timing.settle_delay_ms)
    app.sweep_and_work()

    # Then
    assert app.provider.looked_at == [app.provider.posts[0]]
    assert app.view.snapshot(R1).told(R1) == ["sent"]
