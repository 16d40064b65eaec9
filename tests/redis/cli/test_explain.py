from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from projector.requests import request
from tests.redis.cli.unproven import end_unproven
from tests.redis.projector.asking import ask, fields, post

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.ledger import Ledger
    from tests.redis.cli.conftest import Ended


@pytest.fixture
def token_of_unproven(ledger: Ledger) -> str:
    return end_unproven(ledger)


def test_the_evidence_is_told_in_its_order_with_who_and_when(
    cli: Callable[..., Ended], ledger: Ledger, fold: Callable[[], None]
) -> None:
    # Given
    delivery = ask(ledger)
    request(ledger=ledger, **fields())
    post(ledger, delivery)
    fold()

    # When
    ended = cli("explain", "acme", "r1")

    # Then
    assert ended.code == ExitCode.DONE
    assert ended.out.startswith("acme/r1 is sent, attempts 1\nSlack has it: channel C1")
    told = [line.strip() for line in ended.out.splitlines() if line[:2].isdigit() and ":" in line]
    for word in ("event requested", "accepted", "duplicate", "claimed", "sending", "sent"):
        assert any(f"  {word}  " in line for line in told), word
    (claimed,) = [line for line in told if "  claimed  " in line]
    assert "attempt 1, by a worker, token " in claimed


def test_programs_get_the_evidence_as_one_object(
    cli: Callable[..., Ended], ledger: Ledger, fold: Callable[[], None]
) -> None:
    # Given
    post(ledger, ask(ledger))
    fold()

    # When
    (told,) = cli("explain", "acme", "r1", "--json").objects

    # Then
    assert told["status"]["status"] == "sent"
    assert told["verdict"].startswith("Slack has it")
    assert {each["source"] for each in told["evidence"]} == {"event", "ledger"}
    assert told["evidence"][0]["what"] == "requested"


def test_what_waits_says_what_lies_ahead(cli: Callable[..., Ended], ledger: Ledger) -> None:
    # Given
    ask(ledger, send_at="2027-11-20T08:00:00Z")

    # When
    ended = cli("explain", "acme", "r1")

    # Then
    assert "2027-11-20T08:00:00.000Z" in ended.out
    assert "not before this" in ended.out


@pytest.mark.usefixtures("terminal")
def test_it_fits_a_terminal_and_holds_no_whole_token(
    cli: Callable[..., Ended], token_of_unproven: str
) -> None:
    # Given
    token = token_of_unproven

    # When
    ended = cli("explain", "acme", "r1")

    # Then
    assert max(len(line) for line in ended.out.splitlines()) <= 80
    assert token[:8] in ended.out
    assert token not in ended.out.replace("\n", "").replace(" ", "")


@pytest.mark.usefixtures("token_of_unproven")
def test_what_is_unproven_says_where_to_look(cli: Callable[..., Ended]) -> None:
    # When
    ended = cli("explain", "acme", "r1")

    # Then
    _, said, *_ = ended.out.splitlines()
    for part in ("missing_scope", "C0123ABCD", "T0123ABCD", "1700000000.000100", "UTC"):
        assert part in said
    assert "postonce redrive acme r1 --mark-sent TS" in said
