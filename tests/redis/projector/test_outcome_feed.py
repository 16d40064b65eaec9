from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Timer
from typing import TYPE_CHECKING

from middleware.operating import Order, redrive
from middleware.script import Call
from projector.outcome_feed import FORGET_CONSUMERS, outcomes
from tests.redis.projector.asking import RECEIPT, ask, post, reject

if TYPE_CHECKING:
    import pytest
    import redis

    from middleware.ledger import Ledger
    from projector.events import Outcome


def settle_many(ledger: Ledger, *names: str) -> None:
    for name in names:
        # Tenants of both partitions.
        post(ledger, ask(ledger, name, tenant=f"tenant-{name}"))


def take(
    ledger: Ledger,
    count: int,
    *,
    group: str = "billing",
    consumer: str | None = None,
    take_over_ms: int = 60_000,
) -> list[Outcome]:
    """Handle so many and stop as a process does that is ended in the middle of the last."""
    feed = outcomes(
        group=group, consumer=consumer, ledger=ledger, block_ms=20, take_over_ms=take_over_ms
    )
    return list(islice(feed, count))


def ids(handed_out: list[Outcome]) -> set[str]:
    return {outcome.message_request_id for outcome in handed_out}


def test_an_outcome_says_how_a_request_ended(ledger: Ledger) -> None:
    # Given
    post(ledger, ask(ledger, "r1"))
    reject(ledger, ask(ledger, "r2"))

    # When
    sent, rejected = take(ledger, 2)

    # Then
    assert (sent.tenant, sent.message_request_id, sent.event) == ("acme", "r1", "sent")
    assert (sent.receipt, sent.attempts, sent.error) == (RECEIPT, 1, None)
    assert (rejected.event, rejected.error) == ("rejected", "channel_not_found")


def test_services_are_told_that_an_end_was_taken_back(ledger: Ledger) -> None:
    # Given
    delivery = ask(ledger)
    reject(ledger, delivery)
    order = Order(by="ada@ops", why="the channel is back")
    ledger.run(redrive(ledger, delivery, order, marker="next"))
    post(ledger, delivery)

    # When
    rejected, redriven, sent = take(ledger, 3)

    # Then
    assert [each.event for each in (rejected, redriven, sent)] == ["rejected", "redriven", "sent"]
    assert (redriven.message_request_id, redriven.by, redriven.why) == ("r1", order.by, order.why)


def test_a_group_that_comes_later_still_gets_every_outcome(ledger: Ledger) -> None:
    # Given
    settle_many(ledger, "a", "b", "c", "d")
    take(ledger, 4, group="billing")

    # When
    handed_out = take(ledger, 4, group="search")

    # Then
    assert ids(handed_out) == {"a", "b", "c", "d"}


def test_a_consumer_that_comes_back_goes_on_with_what_it_had_not_finished(
    ledger: Ledger,
) -> None:
    # Given
    settle_many(ledger, "a", "b", "c", "d")
    first = take(ledger, 2, consumer="one")

    # When
    second = take(ledger, 3, consumer="one")

    # Then
    # The last one it was given may not have been handled.
    assert second[0] == first[1]
    assert ids(first) | ids(second) == {"a", "b", "c", "d"}


def test_what_a_dead_consumer_held_is_taken_over(ledger: Ledger) -> None:
    # Given
    settle_many(ledger, "a", "b", "c", "d")
    first = take(ledger, 1, consumer="dead")

    # When
    second = take(ledger, 4, consumer="alive", take_over_ms=0)

    # Then
    assert ids(first) < ids(second) == {"a", "b", "c", "d"}


def test_consumers_of_one_group_share_its_outcomes(ledger: Ledger) -> None:
    # Given
    feeds = [
        outcomes(group="billing", consumer=name, ledger=ledger, block_ms=20)
        for name in ("one", "two")
    ]
    settle_many(ledger, "a")
    first = next(feeds[0])

    # When
    settle_many(ledger, "b")
    second = next(feeds[1])

    # Then
    assert (first.message_request_id, second.message_request_id) == ("a", "b")


def test_an_outcome_is_waited_for(ledger: Ledger) -> None:
    # Given
    settle_many(ledger, "a")
    feed = outcomes(group="billing", ledger=ledger, block_ms=20)
    next(feed)
    later = Timer(0.05, settle_many, args=(ledger, "b"))

    # When
    later.start()
    second = next(feed)
    later.join()

    # Then
    assert second.message_request_id == "b"


def test_an_outcome_is_waited_for_in_turns_that_the_store_outlasts(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    hour_ms = 3_600_000
    feed = outcomes(group="billing", ledger=ledger, block_ms=hour_ms)

    # When
    with client.monitor() as monitor, ThreadPoolExecutor(1) as waiting:
        handed_out = waiting.submit(next, feed)
        command = next(
            command["command"]
            for command in monitor.listen()
            if ledger.keys.prefix in command["command"] and " BLOCK " in command["command"]
        )
        # One for each partition, since either may be the one that is waited for.
        settle_many(ledger, "a", "b", "c", "d")
        handed_out.result()

    # Then
    block_ms = int(command.partition(" BLOCK ")[2].split()[0])
    assert 0 < block_ms <= 1_000


def test_an_outcome_that_cannot_be_read_is_skipped(
    ledger: Ledger, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    client.xadd(ledger.keys.outcomes(ledger.keys.partition_of("acme")), {"event": "secret text"})
    post(ledger, ask(ledger, "r1"))

    # When
    (outcome,) = take(ledger, 1)

    # Then
    assert outcome.message_request_id == "r1"
    assert "secret text" not in caplog.text


def test_names_that_hold_nothing_and_were_not_seen_for_long_are_forgotten(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    settle_many(ledger, "a")
    take(ledger, 1, consumer="holds one")
    stream = ledger.keys.outcomes(ledger.keys.partition_of("tenant-a"))
    client.xgroup_createconsumer(stream, "billing", "holds nothing")
    forget = Call(FORGET_CONSUMERS, (stream,), ("billing", -1), lambda _: None)

    # When
    ledger.run(forget)

    # Then
    assert [consumer["name"] for consumer in client.xinfo_consumers(stream, "billing")] == [
        "holds one"
    ]
