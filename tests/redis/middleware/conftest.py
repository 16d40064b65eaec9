"""A ledger on the session's server whose clock the test moves, and the way there made lossy."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.script import Script, digest
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from middleware.timing import Timing
from tests.lossy_proxy import LossyProxy
from tests.redis.ledger_view import LedgerView
from tests.redis.middleware.application import Application, Kind
from tests.redis.middleware.doubting import post_into_doubt, when_it_may_be_looked_for
from tests.redis.projector.guarding import redis_broker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis
    from dramatiq.brokers.redis import RedisBroker

    from sandbox.servers import ValkeyProcess


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """A plain actor, and one that is a coroutine."""
    chosen: Kind = request.param
    return chosen


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(valkey: ValkeyProcess, prefix: str, clock: ManualClock) -> Iterator[Ledger]:
    """However the test leaves it, the ledger's invariants must hold."""
    with closing(Store(valkey.url, clock_ms=clock)) as store:
        made = Ledger(store, Keys(prefix, partitions=2), Timing())
        yield made
        LedgerView(made).check()


@pytest.fixture
def app(ledger: Ledger, kind: Kind) -> Application:
    return Application(ledger, kind)


@pytest.fixture
def doubtful(app: Application, clock: ManualClock) -> Application:
    """R1 may be posted or not, and the time to look for it has come."""
    post_into_doubt(app)
    when_it_may_be_looked_for(app, clock)
    return app


@pytest.fixture
def queue(valkey: ValkeyProcess, prefix: str) -> Iterator[RedisBroker]:
    """Dramatiq's own broker on the session's server."""
    broker = redis_broker(valkey.url, namespace=f"{prefix}-queue")
    with closing(broker.client):
        yield broker


@pytest.fixture
def proxy(valkey: ValkeyProcess) -> Iterator[LossyProxy]:
    with LossyProxy(valkey.port) as lossy:
        yield lossy


@pytest.fixture
def distant_ledger(
    proxy: LossyProxy,
    ledger: Ledger,  # the same records, past the proxy
    clock: ManualClock,
) -> Iterator[Ledger]:
    with closing(Store(proxy.url, clock_ms=clock)) as store:
        yield Ledger(store, ledger.keys, ledger.timing)


@pytest.fixture
def lose_reply_to(proxy: LossyProxy, client: redis.Redis) -> Callable[..., None]:
    """`lose_reply_to("intend", times=2)`: the script runs, and nobody hears what it answered."""

    def lose(name: str, *, times: int = 1) -> None:
        body = Script.load("middleware", name, prelude="record").body(
            clock_is_argument=True, identity_is_argument=False
        )
        # The server must know the script, or the lost reply only says that it does not.
        client.script_load(body)
        proxy.lose_next_reply(to=digest(body).encode(), times=times)

    return lose
