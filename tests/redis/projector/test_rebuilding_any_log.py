from __future__ import annotations

import secrets
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from dramatiq.brokers.stub import StubBroker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleware.dispatch_once import DispatchOnce
from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from projector.rebuild import rebuild
from projector.requests import request
from tests.keyspace import remove_keys
from tests.redis.projector.asking import RECEIPT, fields, post, reject
from tests.redis.projector.everything import redriven
from tests.redis.projector.guarding import declare_actor
from tests.redis.projector.test_projecting import project_all
from tests.redis.projector.views import fold_outcomes, generations, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.servers import ValkeyProcess

DELIVERIES = [Delivery(tenant, id_) for tenant in ("acme", "globex") for id_ in ("r1", "r2")]
LATE, STRAY = RECEIPT, {"channel": "C1", "ts": "1700000000.000200"}


def _ask(ledger: Ledger, delivery: Delivery) -> None:
    request(ledger=ledger, **fields(delivery.id, tenant=delivery.tenant))


def _cancel(ledger: Ledger, delivery: Delivery) -> None:
    ledger.run(ledger.cancel(delivery))


def _receive(receipt: dict[str, str], ledger: Ledger, delivery: Delivery) -> None:
    ledger.run(ledger.settle_sent(delivery, token="gone", receipt=receipt))


def _write_nonsense(ledger: Ledger, _: Delivery) -> None:
    for log in (ledger.keys.requests(0), ledger.keys.outcomes(0)):
        ledger.store.client.xadd(log, {"event": "nonsense"})


def _project(ledger: Ledger, _: Delivery) -> None:
    broker = StubBroker(middleware=[DispatchOnce(ledger)])
    declare_actor(broker)
    project_all(ledger, broker)


def _fold_outcomes(ledger: Ledger, _: Delivery) -> None:
    fold_outcomes(ledger)


def _rebuild(ledger: Ledger, _: Delivery) -> None:
    list(rebuild(ledger))


THINGS: dict[str, Callable[[Ledger, Delivery], None]] = {
    "asked": _ask,
    "posted": post,
    "rejected": reject,
    "cancelled": _cancel,
    "redriven": redriven,
    "a late receipt": partial(_receive, LATE),
    "another receipt": partial(_receive, STRAY),
    "nonsense": _write_nonsense,
    "outcomes folded": _fold_outcomes,
    "folded": _project,
    "rebuilt": _rebuild,
}


what_happens = st.tuples(st.sampled_from(sorted(THINGS)), st.sampled_from(DELIVERIES))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    happening=st.lists(
        st.tuples(st.sampled_from(sorted(THINGS)), st.sampled_from(DELIVERIES)),
        min_size=5,
        max_size=25,
    )
)
def test_whatever_happened_a_rebuild_makes_the_same_views(
    valkey: ValkeyProcess, happening: list[tuple[str, Delivery]]
) -> None:
    # Given
    keys = Keys(f"t{secrets.token_hex(6)}", partitions=1)
    with closing(Store(valkey.url)) as store:
        ledger = Ledger(store, keys, Timing())
        for what, delivery in happening:
            THINGS[what](ledger, delivery)
        _project(ledger, DELIVERIES[0])
        before = shown(ledger)

        # When
        last = list(rebuild(ledger))[-1]

        # Then
        after, left = shown(ledger), generations(ledger)
        remove_keys(store.client, keys.prefix)
        assert after == before
        assert left <= {(0, getattr(last, "generation", 0))}
