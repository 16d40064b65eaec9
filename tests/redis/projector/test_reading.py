from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from middleware.keys import Delivery
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from projector.explanation import read_explanation
from projector.listing import Filter, list_statuses
from projector.stats import stats
from projector.status import read_status
from projector.utc import utc_text
from tests.redis.projector.asking import RECEIPT, ask, claim, post, reject
from tests.redis.projector.test_projecting import project_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from dramatiq.brokers.stub import StubBroker

    from sandbox.servers import ValkeyProcess


@pytest.fixture
def standing(valkey: ValkeyProcess, ledger: Ledger) -> Iterator[tuple[Ledger, ManualClock]]:
    """A ledger whose clock stands still until it is moved."""
    clock = ManualClock()
    other = Ledger(Store(valkey.url, clock_ms=clock), ledger.keys, ledger.timing)
    yield other, clock
    other.store.close()


def test_a_status_says_where_a_request_stands(standing: tuple[Ledger, ManualClock]) -> None:
    # Given
    ledger, clock = standing
    clock.now_ms = 1_800_000_000_123
    delivery = ask(ledger)
    clock.advance(ms=1_000)
    post(ledger, delivery)

    # When
    status = read_status(ledger, "acme", "r1")

    # Then
    assert status is not None
    assert json.loads(json.dumps(status.as_json())) == {
        "tenant": "acme",
        "message_request_id": "r1",
        "status": "sent",
        "receipt": RECEIPT,
        "attempts": 1,
        "error": None,
        "requested_at": "2027-01-15T08:00:00.123Z",
        "due_at": None,
        "settled_at": "2027-01-15T08:00:01.123Z",
    }


def test_a_status_of_what_waits_says_when_it_is_due(
    standing: tuple[Ledger, ManualClock],
) -> None:
    # Given
    ledger, clock = standing
    clock.now_ms = 1_800_000_000_123
    ask(ledger, send_at="2027-01-15T09:00:00Z")

    # When
    status = read_status(ledger, "acme", "r1")

    # Then
    assert status is not None
    assert (status.status, status.receipt, status.error) == ("waiting", None, None)
    assert status.as_json()["due_at"] == "2027-01-15T09:00:00.000Z"
    assert status.as_json()["settled_at"] is None


def test_a_status_needs_no_projector(ledger: Ledger) -> None:
    # Given
    reject(ledger, ask(ledger))

    # When
    status = read_status(ledger, "acme", "r1")

    # Then
    assert status is not None
    assert (status.status, status.error) == ("rejected", "channel_not_found")


def test_there_is_no_status_of_what_was_never_asked_for(ledger: Ledger) -> None:
    # Given
    ask(ledger)

    # When
    statuses = [read_status(ledger, *names) for names in (("acme", "r2"), ("globex", "r1"))]

    # Then
    assert statuses == [None, None]


def names(ledger: Ledger, *, tenant: str | None = None, status: str | None = None) -> list[str]:
    return [
        f"{found.tenant}/{found.message_request_id} {found.status}"
        for found in list_statuses(ledger, Filter(tenant=tenant, status=status))
    ]


def ids(ledger: Ledger, wanted: Filter) -> list[str]:
    return [found.message_request_id for found in list_statuses(ledger, wanted)]


def test_a_list_holds_every_request_by_tenant_open_ones_first(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    post(ledger, ask(ledger, "r1"))
    ask(ledger, "r2")
    claim(ledger, ask(ledger, "r3"))
    reject(ledger, ask(ledger, "r1", tenant="globex"))
    project_all(ledger, broker)

    # When
    listed = names(ledger)

    # Then
    assert listed == ["acme/r2 waiting", "acme/r3 claimed", "acme/r1 sent", "globex/r1 rejected"]


def test_a_list_may_be_of_one_tenant_and_of_one_status(ledger: Ledger, broker: StubBroker) -> None:
    # Given
    post(ledger, ask(ledger, "r1"))
    ask(ledger, "r2")
    claim(ledger, ask(ledger, "r3"))
    ask(ledger, "r4", tenant="globex")
    project_all(ledger, broker)

    # When
    lists = [
        names(ledger, tenant="acme", status="claimed"),
        names(ledger, tenant="globex"),
        names(ledger, status="sent"),
        names(ledger, status="nonsense"),
        names(ledger, tenant="nobody"),
    ]

    # Then
    assert lists == [["acme/r3 claimed"], ["globex/r4 waiting"], ["acme/r1 sent"], [], []]


def test_a_list_may_be_of_one_error_and_of_what_ended_or_was_requested_in_a_span_of_time(
    ledger: Ledger, client: redis.Redis, broker: StubBroker
) -> None:
    # Given
    for name, at_ms in (("r1", 1_000), ("r2", 2_000), ("r3", 3_000), ("r4", 4_000)):
        delivery = ask(ledger, name)
        since = "accepted_at"
        if name != "r4":
            reject(ledger, delivery)
            client.hset(ledger.keys.delivery(delivery), "accepted_at", 1)
            since = "settled_at"
        client.hset(ledger.keys.delivery(delivery), since, at_ms)
    project_all(ledger, broker)

    # When
    lists = [
        ids(ledger, Filter(error="channel_not_found")),
        ids(ledger, Filter(error="is_archived")),
        ids(ledger, Filter(from_ms=2_000)),
        ids(ledger, Filter(until_ms=2_000)),
        ids(ledger, Filter(from_ms=2_000, until_ms=3_000, status="rejected", tenant="acme")),
    ]

    # Then
    assert lists == [
        ["r1", "r2", "r3"],
        [],
        ["r4", "r2", "r3"],
        ["r1", "r2"],
        ["r2", "r3"],
    ]


def test_a_list_shows_each_request_once_and_as_it_is_though_its_outcome_is_not_folded(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    delivery = ask(ledger)
    project_all(ledger, broker)
    post(ledger, delivery)

    # When
    lists = [names(ledger), names(ledger, status="waiting")]

    # Then
    assert lists == [["acme/r1 sent"], []]


def test_a_list_shows_a_request_once_though_its_outcome_is_folded_meanwhile(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    delivery = ask(ledger)
    project_all(ledger, broker)
    post(ledger, delivery)
    listing = list_statuses(ledger, Filter())
    first = next(listing)

    # When
    project_all(ledger, broker)
    rest = list(listing)

    # Then
    assert (first.message_request_id, first.status, rest) == ("r1", "sent", [])


def test_a_list_is_whole_where_many_requests_came_in_one_instant(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    client.sadd(ledger.keys.known(ledger.keys.partition_of("acme")), "acme")
    ids = [f"r{number:04}" for number in range(1_100)]
    scores = {name: 1_700_000_000_000 + (number > 700) for number, name in enumerate(ids)}
    client.zadd(ledger.keys.listed("acme", "open", 0), scores)
    with client.pipeline() as pipeline:
        for name in ids:
            pipeline.hset(ledger.keys.delivery(Delivery("acme", name)), "state", "waiting")
        pipeline.execute()

    # When
    listed = [found.message_request_id for found in list_statuses(ledger, Filter())]

    # Then
    assert listed == ids


def test_a_list_leaves_out_what_the_ledger_has_forgotten(
    ledger: Ledger, client: redis.Redis, broker: StubBroker
) -> None:
    # Given
    delivery = ask(ledger)
    post(ledger, delivery)
    project_all(ledger, broker)
    client.unlink(ledger.keys.delivery(delivery))

    # When
    listed = names(ledger)

    # Then
    assert listed == []


def test_an_explanation_tells_events_and_transitions_in_the_order_of_time(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    delivery = ask(ledger)
    project_all(ledger, broker)
    post(ledger, delivery)
    project_all(ledger, broker)

    # When
    explanation = read_explanation(ledger, "acme", "r1")

    # Then
    assert explanation is not None
    told = [(each.source, each.what) for each in explanation.evidence]
    assert [what for source, what in told if source == "event"] == ["requested", "sent"]
    assert [what for source, what in told if source == "ledger"] == [
        "accepted",
        "dispatched",
        "claimed",
        "sending",
        "sent",
    ]
    times = [each.at_ms for each in explanation.evidence]
    assert times == sorted(times)
    assert explanation.facts["receipt"] == json.dumps(RECEIPT, separators=(",", ":"))


def test_at_one_instant_a_request_comes_first_and_an_outcome_after_what_caused_it(
    standing: tuple[Ledger, ManualClock], client: redis.Redis
) -> None:
    # Given
    ledger, clock = standing
    delivery = ask(ledger)
    post(ledger, delivery)
    timeline = ledger.keys.timeline(delivery, 0)
    client.rpush(
        timeline, *(json.dumps([clock.now_ms, what, {}]) for what in ("requested", "sent"))
    )
    client.pexpire(timeline, 60_000)

    # When
    explanation = read_explanation(ledger, "acme", "r1")

    # Then
    assert explanation is not None
    told = [f"{each.source}: {each.what}" for each in explanation.evidence]
    assert told == [
        "event: requested",
        "ledger: accepted",
        "ledger: claimed",
        "ledger: sending",
        "ledger: sent",
        "event: sent",
    ]


def test_an_explanation_of_an_open_request_tells_what_lies_ahead_and_no_secret(
    ledger: Ledger, broker: StubBroker
) -> None:
    # Given
    delivery = ask(ledger, variables={"host": "secret text"})
    token = claim(ledger, delivery)
    project_all(ledger, broker)

    # When
    explanation = read_explanation(ledger, "acme", "r1")

    # Then
    assert explanation is not None
    ahead = [each.what for each in explanation.evidence if each.source == "record"]
    assert "the claim's lease ends" in ahead
    assert ahead[-1] == "expires"
    assert token not in str(explanation)
    assert "secret text" not in str(explanation)


def test_there_is_no_explanation_of_what_was_never_asked_for(ledger: Ledger) -> None:
    # Given
    ask(ledger)

    # When
    explanation = read_explanation(ledger, "acme", "r2")

    # Then
    assert explanation is None


def test_stats_of_nothing_are_all_zero(ledger: Ledger) -> None:
    # Given
    empty = ledger

    # When
    counted = stats(empty)

    # Then
    assert {getattr(counted, name) for name in counted.__slots__} == {0}


def test_stats_count_every_state_over_all_tenants(
    ledger: Ledger, broker: StubBroker, standing: tuple[Ledger, ManualClock]
) -> None:
    # Given
    ledger, clock = standing
    day_ms = 24 * 3_600_000
    ask(ledger, "waiting", tenant="globex")
    ask(ledger, "delayed", send_at=utc_text(clock.now_ms + day_ms))
    claim(ledger, ask(ledger, "claimed"))
    for name in ("sending", "uncertain", "unproven"):
        delivery = ask(ledger, name)
        token = claim(ledger, delivery)
        ledger.run(ledger.intend(delivery, token=token, target={"channel": "C1"}))
        if name != "sending":
            ledger.run(ledger.doubt(delivery, token=token, why="timeout"))
    clock.advance(ms=ledger.timing.post_deadline_ms + ledger.timing.settle_delay_ms)
    token = claim(ledger, Delivery("acme", "unproven"))
    ledger.run(
        ledger.give_up(Delivery("acme", "unproven"), token=token, error="no_scope", reason="No.")
    )
    reject(ledger, ask(ledger, "rejected"))
    post(ledger, ask(ledger, "sent"))
    project_all(ledger, broker)

    # When
    counted = stats(ledger)

    # Then
    assert (counted.waiting, counted.delayed, counted.claimed) == (1, 1, 1)
    assert (counted.sending, counted.uncertain) == (1, 1)
    assert (counted.unproven, counted.rejected, counted.projector_lag) == (1, 1, 0)


def test_stats_tell_how_long_the_most_overdue_request_is_due(
    standing: tuple[Ledger, ManualClock],
) -> None:
    # Given
    ledger, clock = standing
    ask(ledger, "first")
    clock.advance(ms=10_000)
    ask(ledger, "second", tenant="globex")

    # When
    before = stats(ledger).oldest_due_age_s
    clock.advance(ms=ledger.timing.dispatch_window_ms)
    after = stats(ledger).oldest_due_age_s

    # Then
    assert (before, after) == (0.0, 10.0)


def test_the_lag_counts_events_of_both_streams_that_are_not_folded_even_when_trimmed(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    ask(ledger, "r1")
    project_all(ledger, broker)
    client.xtrim(ledger.keys.requests(ledger.keys.partition_of("acme")), maxlen=0)

    # When
    post(ledger, ask(ledger, "r2"))

    # Then
    assert stats(ledger).projector_lag == 2


def test_what_was_forgotten_before_it_was_folded_is_no_lag(
    ledger: Ledger, broker: StubBroker, client: redis.Redis
) -> None:
    # Given
    ask(ledger, "r1")
    ask(ledger, "r2")
    requests = ledger.keys.requests(ledger.keys.partition_of("acme"))
    client.xtrim(requests, maxlen=1, approximate=False)
    before = stats(ledger).projector_lag

    # When
    project_all(ledger, broker)

    # Then
    assert (before, stats(ledger).projector_lag) == (1, 0)


def test_stats_tell_how_long_the_first_unfolded_event_has_waited(
    standing: tuple[Ledger, ManualClock], broker: StubBroker
) -> None:
    # Given
    ledger, clock = standing
    post(ledger, ask(ledger, "r1"))

    # When
    clock.advance(ms=3_600_000)
    before = stats(ledger).oldest_unfolded_age_s
    project_all(ledger, broker)

    # Then
    assert round(before / 3_600) == 1
    assert stats(ledger).oldest_unfolded_age_s == 0
