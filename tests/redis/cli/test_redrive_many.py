from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from middleware.timing import DAY_MS
from projector.status import read_status
from tests.lossy_proxy import LossyProxy
from tests.redis.projector.asking import RECEIPT, ask, claim, post, reject, stream

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from middleware.ledger import Ledger
    from sandbox.servers import ValkeyProcess
    from tests.redis.cli.conftest import Ended

REASON = "the channel is back"
ALL_REJECTED = ("redrive", "--status", "rejected", "--yes", "--why", REASON)


def state(ledger: Ledger, message_request_id: str = "r1") -> str:
    found = read_status(ledger, "acme", message_request_id)
    assert found is not None
    return found.status


def redriven(client: redis.Redis, ledger: Ledger) -> list[str]:
    """The requests of which that is told, each as often as it is."""
    return [
        event["id"]
        for partition in range(ledger.keys.partitions)
        for _, event in stream(client, ledger.keys.outcomes(partition))
        if event["event"] == "redriven"
    ]


@pytest.fixture
def many(ledger: Ledger, fold: Callable[[], None]) -> None:
    """Three rejected ones of two tenants, a sent one and an open one."""
    for name in ("r1", "r2"):
        reject(ledger, ask(ledger, name))
    reject(ledger, ask(ledger, "r3", tenant="zed"))
    post(ledger, ask(ledger, "r4"))
    ask(ledger, "r5")
    fold()


@pytest.mark.usefixtures("many")
def test_many_are_only_shown_unless_it_is_meant(cli: Callable[..., Ended], ledger: Ledger) -> None:
    # When
    ended = cli("redrive", "--status", "rejected", "--json")
    listed = cli("list", "--status", "rejected", "--json")

    # Then
    assert ended.code == ExitCode.DONE
    assert ended.out == listed.out
    assert len(ended.objects) == 3
    assert ended.err == "a dry run, nothing was changed: --yes redrives 3\n"
    assert state(ledger) == "rejected"


@pytest.mark.usefixtures("many")
def test_many_are_redriven_once_and_running_it_again_is_safe(
    cli: Callable[..., Ended], fold: Callable[[], None]
) -> None:
    # When
    ended = cli(*ALL_REJECTED)
    again = cli(*ALL_REJECTED)
    fold()
    listed = cli("list", "--status", "waiting", "--json")

    # Then
    assert (ended.code, ended.out) == (ExitCode.DONE, "3 redriven, 0 refused\n")
    assert (again.code, again.out) == (ExitCode.DONE, "0 redriven, 0 refused\n")
    assert [each["message_request_id"] for each in listed.objects] == ["r5", "r1", "r2", "r3"]


@pytest.mark.usefixtures("many")
def test_a_filter_leaves_out_what_it_does_not_mean(cli: Callable[..., Ended]) -> None:
    # Given
    rejected = ("redrive", "--status", "rejected", "--json")

    # When
    counts = [
        len(cli(*rejected, *more).objects)
        for more in (
            ("--tenant", "acme"),
            ("--error", "channel_not_found"),
            ("--error", "is_archived"),
            ("--newer-than", "1h"),
            ("--older-than", "1h"),
        )
    ]

    # Then
    assert counts == [2, 3, 0, 3, 0]


def test_what_expired_lately_is_chosen_by_when_it_expired(
    cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis, fold: Callable[[], None]
) -> None:
    # Given
    delivery = ask(ledger)
    now_ms = int(time.time() * 1_000)
    client.hset(ledger.keys.delivery(delivery), "accepted_at", now_ms - DAY_MS)
    client.hset(ledger.keys.delivery(delivery), "expires_at", now_ms - 1)
    claim(ledger, delivery)
    fold()

    # When
    expired = ("redrive", "--status", "expired", "--json")
    lately = cli(*expired, "--newer-than", "2h")
    before = cli(*expired, "--older-than", "2h")

    # Then
    assert [each["message_request_id"] for each in lately.objects] == ["r1"]
    assert before.objects == []


@pytest.mark.usefixtures("many")
def test_programs_get_an_answer_for_each_of_many(cli: Callable[..., Ended]) -> None:
    # When
    ended = cli(*ALL_REJECTED, "--tenant", "acme", "--json")

    # Then
    assert [(each["message_request_id"], each["result"]) for each in ended.objects] == [
        ("r1", "redriven"),
        ("r2", "redriven"),
    ]


@pytest.mark.usefixtures("many", "terminal")
def test_what_programs_get_is_piped_though_the_progress_is_on_a_terminal(
    cli: Callable[..., Ended],
) -> None:
    # When
    ended = cli(*ALL_REJECTED, "--tenant", "acme", "--json")

    # Then
    assert [each["message_request_id"] for each in ended.objects] == ["r1", "r2"]


def test_one_of_many_that_is_refused_is_named_and_the_rest_go_on(
    cli: Callable[..., Ended], ledger: Ledger, fold: Callable[[], None]
) -> None:
    # Given
    stray = ask(ledger, "r1")
    reject(ledger, stray)
    reject(ledger, ask(ledger, "r2"))
    ledger.run(ledger.settle_sent(stray, token="late", receipt=RECEIPT))
    fold()

    # When
    ended = cli(*ALL_REJECTED)

    # Then
    assert (ended.code, ended.out) == (ExitCode.REFUSED, "1 redriven, 1 refused\n")
    (line,) = ended.err.splitlines()
    assert "acme/r1 is rejected, but Slack has a post of it" in line
    assert (state(ledger, "r1"), state(ledger, "r2")) == ("rejected", "waiting")


@pytest.mark.usefixtures("many", "terminal")
def test_a_terminal_shows_what_a_dry_run_would_redrive(cli: Callable[..., Ended]) -> None:
    # When
    ended = cli("redrive", "--status", "rejected")

    # Then
    header, *rows = ended.out.splitlines()
    assert header.split()[:3] == ["TENANT", "REQUEST", "STATUS"]
    assert len(rows) == 3
    assert "dry run" in ended.err


@pytest.mark.usefixtures("many", "terminal")
def test_a_terminal_sees_how_far_it_is(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("TERM", "xterm")

    # When
    ended = cli(*ALL_REJECTED)

    # Then
    assert ended.out == "3 redriven, 0 refused\n"
    assert "3/3" in ended.err


@pytest.mark.usefixtures("many")
def test_a_lost_reply_redrives_nothing_twice(
    cli: Callable[..., Ended],
    ledger: Ledger,
    client: redis.Redis,
    valkey: ValkeyProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given
    with LossyProxy(valkey.port) as proxy:
        monkeypatch.setenv("POSTONCE_REDIS_URL", proxy.url)
        proxy.lose_next_reply(to=REASON.encode())

        # When
        ended = cli(*ALL_REJECTED)

    # Then
    assert proxy.lost_replies == 1
    assert (ended.code, ended.out) == (ExitCode.DONE, "3 redriven, 0 refused\n")
    assert sorted(redriven(client, ledger)) == ["r1", "r2", "r3"]
