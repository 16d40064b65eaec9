"""A coroutine whose event loop ended under it can ask nobody: the lease's end tells the ledger."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
from typing import TYPE_CHECKING

import pytest

from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.interrupting import Lasting
from tests.waiting import wait_in_loop_until

if TYPE_CHECKING:
    from middleware.ledger import Ledger
    from middleware.stub_ledger import ManualClock


@pytest.mark.parametrize("stage", ["starts", "prepares", "takes"])
def test_it_ends_without_a_word_and_is_swept(
    ledger: Ledger, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    # Given
    app = Application(ledger, "async")
    app.accept()
    lasting = Lasting("async")
    getattr(app.provider, stage).come(lasting)
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    loop = asyncio.new_event_loop()
    coroutine = inspect.unwrap(app.actor.fn, stop=inspect.iscoroutinefunction)(R1.tenant, R1.id)
    task = loop.create_task(coroutine)
    begun = wait_in_loop_until(lasting.begun.is_set, description=f"it {stage}")
    loop.run_until_complete(begun)
    loop.run_until_complete(ledger.store.aclose())

    # When
    loop.close()
    del task, coroutine, begun
    gc.collect()

    # Then
    assert complaints == []
    clock.advance(ms=ledger.timing.lease_ms)
    app.sweep()
    assert app.state() == ("uncertain" if stage == "takes" else "waiting")
