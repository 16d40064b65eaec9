"""Until when a claim may post is counted from its first intent, however often that is asked for."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from middleware.ledger import Ledger
from tests.redis.middleware.application import Application
from tests.redis.middleware.stores import SlowStore

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock
    from sandbox.servers import ValkeyProcess
    from tests.redis.middleware.application import Kind


def test_asking_for_the_intent_again_gains_no_time(
    ledger: Ledger, valkey: ValkeyProcess, clock: ManualClock
) -> None:
    # Given
    with closing(SlowStore(valkey.url, clock, script="intend", later_ms=4_000)) as store:
        app = Application(Ledger(store, ledger.keys, ledger.timing))

        # When
        app.send_and_work()

    # Then
    deadline_s = ledger.timing.post_deadline_ms / 1_000
    [remaining_s] = app.provider.remaining_s
    assert deadline_s - 5.0 < remaining_s <= deadline_s - 4.0


def test_an_intent_that_is_heard_of_too_late_posts_nothing_and_waits(
    ledger: Ledger, valkey: ValkeyProcess, clock: ManualClock, kind: Kind
) -> None:
    # Given
    later_ms = ledger.timing.post_deadline_ms
    with closing(SlowStore(valkey.url, clock, script="intend", later_ms=later_ms)) as store:
        app = Application(Ledger(store, ledger.keys, ledger.timing), kind)

        # When
        app.send_and_work()

        # Then
        assert app.provider.posts == []
        assert app.state() == "waiting"
        assert app.record()["attempts"] == "0"
