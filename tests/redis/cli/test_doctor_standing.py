"""What doctor says of who works, and of what stands still or needs a person."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from actors.commands.exit_codes import ExitCode
from middleware.ledger import Ledger
from middleware.presence import note_worker
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from tests.redis.cli.unproven import end_unproven
from tests.redis.projector.asking import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from tests.redis.cli.conftest import Ended


def by_check(ended: Ended) -> dict[str, dict[str, Any]]:
    return {found["check"]: found for found in ended.objects}


def test_what_runs_is_found(cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis) -> None:
    # Given
    ask(ledger)
    ledger.run(note_worker(ledger, "one"))
    ledger.run(note_worker(ledger, "other"))
    for partition in range(ledger.keys.partitions):
        client.set(ledger.keys.lease(partition), "a projector", px=10_000)

    # When
    ended = cli("doctor", "--json")

    # Then
    found = by_check(ended)
    assert ended.code == ExitCode.DONE
    assert found["workers"]["severity"] == found["projector"]["severity"] == "good"
    assert found["workers"]["found"].endswith(": 2")
    assert found["projector"]["found"].startswith("2 of 2 partitions")


def test_who_puts_messages_on_the_queue_is_not_taken_for_a_worker(
    cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    ask(ledger)
    heartbeats = f"{ledger.keys.prefix}:{{queue}}:__heartbeats__"
    seconds, _ = client.time()
    client.zadd(heartbeats, {"a projector": seconds * 1000})
    client.expire(heartbeats, 60)

    # When
    ended = cli("doctor", "--json")

    # Then
    found = by_check(ended)
    assert ended.code == ExitCode.REFUSED
    assert found["workers"]["severity"] == found["projector"]["severity"] == "refused"
    assert "1 requests wait" in found["workers"]["found"]
    assert "1 events are not folded" in found["projector"]["found"]


def test_what_stands_still_and_what_needs_a_person_is_counted(
    cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis, fold: Callable[[], None]
) -> None:
    # Given
    end_unproven(ledger, "r1")
    fold()
    clock = ManualClock()
    clock.advance(ms=-3 * ledger.timing.dispatch_window_ms)
    with closing(Store(ledger.store.url, clock_ms=clock)) as store:
        ask(Ledger(store, ledger.keys, ledger.timing), "r2")
    dead_letters = f"{ledger.keys.prefix}:{{queue}}:slack.XQ"
    client.zadd(dead_letters, {"a message": 1, "another": 2})
    client.expire(dead_letters, 60)

    # When
    found = by_check(cli("doctor", "--json"))

    # Then
    told = {check: found[check]["found"] for check in ("due", "unproven", "dead letters")}
    assert all(found[check]["severity"] == "risky" for check in told)
    assert "the oldest is due for 2 min" in told["due"]
    assert told["unproven"].startswith("1 ")
    assert told["dead letters"].endswith("2 messages")
