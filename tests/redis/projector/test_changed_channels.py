"""Since when a code names its channel: what was accepted by then was never sent elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from middleware.timing import HOUR_MS, Timing
from projector.configuration import Resolved, TenantConfiguration, resolve
from projector.configure import configure
from projector.resolution import read_for_delivery
from tests.redis.projector.asking import ask
from tests.redis.projector.open_views import forget_open_views

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from sandbox.servers import ValkeyProcess

WORKSPACES = {"main": {"team_id": "T1"}, "other": {"team_id": "T2"}}
CHANNELS = {"ops": {"workspace": "main", "id": "C1"}}
TEMPLATES = {"alert": {"text": "{{ host }} is down"}}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(
    valkey: ValkeyProcess, client: redis.Redis, prefix: str, clock: ManualClock
) -> Iterator[Ledger]:
    store = Store(valkey.url, clock_ms=clock)
    yield Ledger(store, Keys(prefix, partitions=2), Timing())
    store.close()
    forget_open_views(client, prefix)


def apply(ledger: Ledger, **changed: object) -> None:
    sections = {"workspaces": WORKSPACES, "channels": CHANNELS, "templates": TEMPLATES, **changed}
    configure(ledger, {"acme": TenantConfiguration.model_validate(sections)})


def since_ms(ledger: Ledger) -> int:
    """As a delivery that was asked for as `r1` reads it."""

    async def read() -> Resolved:
        found = await read_for_delivery(ledger, "acme", "r1")
        await ledger.store.aclose()
        assert found is not None
        resolved = resolve(found.fields, channel_code="ops", template_code="alert")
        assert isinstance(resolved, Resolved)
        return resolved

    since_ms = asyncio.run(read()).since_ms
    assert since_ms is not None
    return since_ms


def accepted_at_ms(ledger: Ledger) -> int:
    delivery = ask(ledger)
    accepted_at = ledger.store.client.hget(ledger.keys.delivery(delivery), "accepted_at")
    assert isinstance(accepted_at, str)
    return int(accepted_at)


@pytest.mark.parametrize(
    "changed",
    [
        {"templates": {"alert": {"text": "{{ host }} is up"}}},
        {"channels": {**CHANNELS, "dev": {"workspace": "main", "id": "C2"}}},
        {"workspaces": {**WORKSPACES, "other": {"team_id": "T3"}}},
        {"enabled": False},
    ],
)
def test_what_else_is_changed_dates_no_channel_anew(
    ledger: Ledger, clock: ManualClock, changed: dict[str, object]
) -> None:
    # Given
    apply(ledger)
    accepted_ms = accepted_at_ms(ledger)
    before_ms = since_ms(ledger)

    # When
    clock.advance(ms=HOUR_MS)
    apply(ledger, **changed)
    apply(ledger)

    # Then
    assert since_ms(ledger) == before_ms <= accepted_ms


@pytest.mark.parametrize(
    "changed",
    [
        {"channels": {"ops": {"workspace": "main", "id": "C2"}}},
        {"channels": {"ops": {"workspace": "other", "id": "C1"}}},
        {"workspaces": {**WORKSPACES, "main": {"team_id": "T3"}}},
    ],
)
def test_a_code_that_names_another_channel_does_so_since_it_was_changed(
    ledger: Ledger, clock: ManualClock, changed: dict[str, object]
) -> None:
    # Given
    apply(ledger)
    accepted_at_ms(ledger)
    clock.advance(ms=HOUR_MS)

    # When
    apply(ledger, **changed)
    changed_ms = since_ms(ledger)
    clock.advance(ms=HOUR_MS)
    apply(ledger)

    # Then: back again is changed again.
    assert changed_ms == clock.now_ms - HOUR_MS + 1
    assert since_ms(ledger) == clock.now_ms + 1


def test_a_code_that_was_removed_and_added_again_names_its_channel_since_then(
    ledger: Ledger, client: redis.Redis, clock: ManualClock
) -> None:
    # Given
    apply(ledger)
    accepted_ms = accepted_at_ms(ledger)
    apply(ledger, channels={})
    left = client.hgetall(ledger.keys.config("acme"))

    # When
    clock.advance(ms=HOUR_MS)
    apply(ledger)

    # Then
    assert since_ms(ledger) == clock.now_ms > accepted_ms
    assert not [field for field in left if str(field).endswith(":ops")], "it grows with every code"


def test_what_was_accepted_in_the_millisecond_of_a_change_counts_as_accepted_before(
    ledger: Ledger,
) -> None:
    # Given
    apply(ledger)
    accepted_ms = accepted_at_ms(ledger)

    # When
    apply(ledger, channels={"ops": {"workspace": "main", "id": "C2"}})

    # Then
    assert since_ms(ledger) > accepted_ms


def test_on_a_server_whose_time_is_behind_a_change_is_later_than_what_was_accepted_before_it(
    ledger: Ledger, clock: ManualClock
) -> None:
    # Given
    apply(ledger)
    accepted_ms = accepted_at_ms(ledger)

    # When: another server takes over.
    clock.advance(ms=-HOUR_MS)
    apply(ledger, channels={"ops": {"workspace": "main", "id": "C2"}})

    # Then
    assert since_ms(ledger) > accepted_ms
