"""A connection whose command was interrupted is not used again: its reply is another command's."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import redis
from dramatiq.middleware import TimeLimitExceeded

from middleware.answers import Granted
from middleware.keys import Delivery
from middleware.ledger import Ledger
from middleware.store import Store
from tests.redis.middleware.application import R1, Application

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.stub_ledger import ManualClock
    from tests.lossy_proxy import LossyProxy


class _Connection(redis.Connection):
    """Does one thing more after each command that it has sent, before the reply is read."""

    then: deque[Callable[[], None]]

    def send_command(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as redis-py's
        # It carries no types.
        send: Callable[..., None] = super().send_command
        send(*args, **kwargs)
        if self.then:
            self.then.popleft()()


class _WatchedStore(Store):
    def _connect(self) -> redis.Redis:
        client = super()._connect()
        client.connection_pool.connection_class = _Connection
        return client


def _interrupt() -> None:
    raise TimeLimitExceeded


def test_after_an_interrupt_no_command_reads_anothers_reply(
    ledger: Ledger, proxy: LossyProxy, clock: ManualClock
) -> None:
    # Given
    second, _Connection.then = Delivery("acme", "r2"), deque()
    with closing(_WatchedStore(proxy.url, clock_ms=clock)) as store:
        app = Application(Ledger(store, ledger.keys, ledger.timing))
        app.accept(R1)
        app.accept(second)
        cancel, claim = ledger.cancel(R1), ledger.claim(second, token="t", by="w")
        # The server knows both scripts from then on.
        app.ledger.run(cancel)
        app.ledger.run(ledger.claim(R1, token="t", by="w"))
        proxy.stall()
        _Connection.then += [_interrupt, proxy.flow]
        with pytest.raises(TimeLimitExceeded):
            app.ledger.run(cancel)

        # When
        answer = app.ledger.run(claim)

    # Then
    assert isinstance(answer, Granted)
