from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from actors.commands.status import TABLE_ROWS
from sandbox.servers import free_port
from tests.redis.cli.unproven import end_unproven
from tests.redis.projector.asking import RECEIPT, ask, post, reject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import redis

    from middleware.ledger import Ledger
    from tests.redis.cli.conftest import Ended

STATUS_FIELDS = [
    "tenant",
    "message_request_id",
    "status",
    "receipt",
    "attempts",
    "error",
    "requested_at",
    "due_at",
    "settled_at",
]
STATS_FIELDS = [
    "waiting",
    "delayed",
    "claimed",
    "sending",
    "uncertain",
    "unproven",
    "rejected",
    "queued",
    "dead_letters",
    "oldest_due_age_s",
    "projector_lag",
]


def test_a_status_is_told_to_programs(cli: Callable[..., Ended], ledger: Ledger) -> None:
    # Given
    post(ledger, ask(ledger))

    # When
    ended = cli("status", "acme", "r1", "--json")

    # Then
    assert ended.code == ExitCode.DONE
    (status,) = ended.objects
    assert list(status) == STATUS_FIELDS
    assert (status["status"], status["receipt"]) == ("sent", RECEIPT)


def test_a_status_is_told_to_people(cli: Callable[..., Ended], ledger: Ledger) -> None:
    # Given
    reject(ledger, ask(ledger))

    # When
    ended = cli("status", "acme", "r1")

    # Then
    assert ended.out.startswith("acme/r1: rejected\n")
    assert "channel_not_found" in ended.out


def test_the_status_of_what_is_unproven_names_what_to_do(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    end_unproven(ledger)

    # When
    ended = cli("status", "acme", "r1")

    # Then
    assert "postonce explain acme r1" in ended.out
    assert "postonce redrive acme r1 --mark-sent TS, or --post-again" in ended.out


@pytest.mark.parametrize("command", ["status", "explain"])
def test_an_unknown_request_has_an_exit_code_of_its_own(
    cli: Callable[..., Ended], command: str
) -> None:
    # When
    ended = cli(command, "acme", "r1", "--json")

    # Then
    assert (ended.code, ended.out) == (ExitCode.UNKNOWN_REQUEST, "")
    (line,) = ended.err.splitlines()
    assert '"acme"' in line
    assert '"r1"' in line


def test_requests_are_listed_open_ones_first(
    cli: Callable[..., Ended], ledger: Ledger, fold: Callable[[], None]
) -> None:
    # Given
    post(ledger, ask(ledger, "first"))
    reject(ledger, ask(ledger, "second"))
    ask(ledger, "third")
    ask(ledger, "other", tenant="zed")
    fold()

    # When
    ended = cli("list", "--json")
    rejected = cli("list", "--tenant", "acme", "--status", "rejected", "--json")
    two = cli("list", "--limit", "2", "--json")

    # Then
    assert all(list(each) == STATUS_FIELDS for each in ended.objects)
    ids = [each["message_request_id"] for each in ended.objects]
    assert ids == ["third", "first", "second", "other"]
    assert [each["message_request_id"] for each in rejected.objects] == ["second"]
    assert two.objects == ended.objects[:2]


def test_a_list_is_narrowed_by_error_and_by_age(
    cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis, fold: Callable[[], None]
) -> None:
    # Given
    reject(ledger, ask(ledger, "new"))
    old = ask(ledger, "old")
    reject(ledger, old)
    client.hset(ledger.keys.delivery(old), "settled_at", str(1_700_000_000_000))
    ask(ledger, "open")
    fold()

    # When
    lists = [
        [each["message_request_id"] for each in cli("list", "--json", *narrowed).objects]
        for narrowed in (
            ("--error", "channel_not_found"),
            ("--error", "channel_not_found", "--newer-than", "1h"),
            ("--older-than", "1h"),
            ("--newer-than", "1h", "--status", "waiting"),
            ("--older-than", "0s", "--newer-than", "1h", "--tenant", "acme"),
        )
    ]

    # Then
    assert lists == [["new", "old"], ["new"], ["old"], ["open"], ["open", "new"]]


def test_a_piped_list_has_its_columns_divided_by_tabs(
    cli: Callable[..., Ended], ledger: Ledger, fold: Callable[[], None]
) -> None:
    # Given
    reject(ledger, ask(ledger, "x" * 200))
    fold()

    # When
    ended = cli("list")

    # Then
    (line,) = ended.out.splitlines()
    tenant, message_request_id, status, _attempts, _requested_at, error = line.split("\t")
    assert (tenant, status, error) == ("acme", "rejected", "channel_not_found")
    assert message_request_id == "x" * 200


@pytest.mark.usefixtures("terminal")
def test_a_terminal_gets_a_table_that_says_when_there_is_more(
    cli: Callable[..., Ended], ledger: Ledger, fold: Callable[[], None]
) -> None:
    # Given
    for number in range(TABLE_ROWS + 1):
        ask(ledger, f"a455cbab-1f52-5c0f-8a04-{number:012d}")
    fold()

    # When
    ended = cli("list")

    # Then
    header, *rows = ended.out.splitlines()
    assert header.split() == ["TENANT", "REQUEST", "STATUS", "TRIES", "AGE", "ERROR"]
    assert len(rows) == TABLE_ROWS
    assert f"a455cbab-1f52-5c0f-8a04-{0:012d}  waiting" in rows[0]
    assert max(len(row) for row in rows) <= 80
    assert f"the first {TABLE_ROWS}" in ended.err


@pytest.mark.usefixtures("terminal")
def test_the_age_on_a_terminal_is_the_one_that_filters_mean(
    cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis, fold: Callable[[], None]
) -> None:
    # Given
    expired = ask(ledger)
    two_days_ago = str(int(time.time() * 1_000) - 2 * 86_400_000)
    client.hset(ledger.keys.delivery(expired), "accepted_at", two_days_ago)
    reject(ledger, expired)
    fold()

    # When
    listed = [cli("list", *more).out for more in ((), ("--newer-than", "2h"))]

    # Then
    for shown in listed:
        _, row = shown.splitlines()
        assert "2 d" not in row


@pytest.mark.usefixtures("terminal")
def test_a_terminal_is_told_that_there_is_nothing(cli: Callable[..., Ended]) -> None:
    # Then
    assert cli("list").out == "no requests\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("list", "--json"),
        ("redrive", "--status", "rejected"),
        ("redrive", "--status", "rejected", "--yes", "--why", "it is back"),
    ],
)
def test_a_tenant_that_there_is_not_is_no_tenant_without_requests(
    cli: Callable[..., Ended], ledger: Ledger, fold: Callable[[], None], arguments: tuple[str, ...]
) -> None:
    # Given
    reject(ledger, ask(ledger))
    fold()

    # When
    mistyped = cli(*arguments, "--tenant", "amce")
    right = cli(*arguments, "--tenant", "acme")

    # Then
    (line,) = mistyped.err.splitlines()
    assert (mistyped.code, mistyped.out) == (ExitCode.UNKNOWN_REQUEST, "")
    assert line.startswith('postonce: no tenant "amce"')
    assert right.code == ExitCode.DONE


def test_a_tenant_that_is_configured_is_known_before_it_has_requests(
    cli: Callable[..., Ended], tmp_path: Path
) -> None:
    # Given
    tenants = tmp_path / "tenants.yaml"
    tenants.write_text("tenants: {acme: {workspaces: {}, channels: {}, templates: {}}}")
    configured = cli("configure", tenants)

    # When
    ended = cli("list", "--tenant", "acme")

    # Then
    assert (configured.code, ended.code, ended.err) == (ExitCode.DONE, ExitCode.DONE, "")


def test_counts_have_their_names_and_their_order(
    cli: Callable[..., Ended], ledger: Ledger, fold: Callable[[], None]
) -> None:
    # Given
    ask(ledger, "first")
    reject(ledger, ask(ledger, "second"))
    fold()
    ask(ledger, "third", send_at="2027-11-20T08:00:00Z")

    # When
    (numbers,) = cli("stats", "--json").objects
    shown = cli("stats").out

    # Then
    assert list(numbers) == STATS_FIELDS
    assert numbers | {"oldest_due_age_s": 0.0} == dict.fromkeys(STATS_FIELDS, 0) | {
        "waiting": 1,
        "delayed": 1,
        "rejected": 1,
        "projector_lag": 1,
    }
    assert [line.split()[0] for line in shown.splitlines()] == STATS_FIELDS


def test_a_queue_that_is_down_is_told_apart_from_the_store(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_BROKER_URL", f"redis://127.0.0.1:{free_port()}/0")

    # When
    ended = cli("stats", "--json")

    # Then
    assert (ended.code, ended.out) == (ExitCode.UNREACHABLE, "")
    (line,) = ended.err.splitlines()
    assert "the queue cannot be reached" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "acme", "r1"),
        ("explain", "acme", "r1"),
        ("list",),
        ("redrive", "acme", "r1", "--why", "it is back"),
        ("redrive", "--status", "rejected"),
        ("cancel", "acme", "r1"),
        ("stats",),
        ("rebuild",),
        ("request", "examples/requests.jsonl"),
        ("configure", "examples/tenants.yaml"),
    ],
)
def test_a_store_that_is_down_is_said_in_one_line(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_REDIS_URL", f"redis://:secret@127.0.0.1:{free_port()}/0")

    # When
    ended = cli(*arguments)

    # Then
    assert (ended.code, ended.out) == (ExitCode.UNREACHABLE, "")
    (line,) = ended.err.splitlines()
    assert "the store cannot be reached" in line
    assert "running it again is safe" in line
    assert "secret" not in line


def test_a_store_of_other_partitions_is_refused_and_not_searched_in_vain(
    cli: Callable[..., Ended], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    ask(ledger)
    monkeypatch.setenv("POSTONCE_PARTITIONS", "7")

    # When
    ended = cli("status", "acme", "r1")

    # Then
    assert ended.code == ExitCode.USAGE
    assert "POSTONCE_PARTITIONS=2" in ended.err
