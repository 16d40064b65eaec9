"""A store that is refused while something is held, is asked again until it is put right."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from middleware.errors import StoreRefused
from middleware.ledger import Ledger
from tests.redis.middleware.application import Application
from tests.redis.middleware.stores import InterruptedStore

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock
    from sandbox.servers import ValkeyProcess
    from tests.redis.middleware.application import Kind


@pytest.mark.parametrize(
    ("script", "posts", "told"),
    [("claim", 0, []), ("intend", 0, []), ("settle_sent", 1, ["sent"])],
)
def test_what_is_held_is_kept_and_a_receipt_is_told(
    valkey: ValkeyProcess,
    ledger: Ledger,
    kind: Kind,
    clock: ManualClock,
    *,
    script: str,
    posts: int,
    told: list[str],
) -> None:
    # Given
    refusal = StoreRefused("maxmemory-policy: allkeys-lru")
    store = InterruptedStore(valkey.url, clock, script=script, interrupt=refusal, has_run=False)
    with closing(store):
        app = Application(Ledger(store, ledger.keys, ledger.timing), kind)

        # When
        app.send_and_work()

        # Then
        assert len(app.provider.posts) == posts
        assert app.told() == told
        assert app.state() == ("sent" if told else "waiting")
