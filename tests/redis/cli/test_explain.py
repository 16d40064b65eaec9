from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock
from projector.requests import request
from tests.redis.projector.asking import ask, claim, fields, post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.servers import ValkeyProcess
    from tests.redis.cli.conftest import Ended

TARGET = {"team": "T0123ABCD", "channel": "C0123ABCD", "thread_ts": "1700000000.000100"}


@pytest.fixture
def token_of_unproven(valkey: ValkeyProcess, ledger: Ledger) -> Iterator[str]:
    """`acme/r1` may have been posted; the token is that of the claim that looked."""
    clock = ManualClock()
    moved_on = Ledger(Store(valkey.url, clock_ms=clock), ledger.keys, ledger.timing)
    with closing(moved_on.store):
        yield end_unproven(moved_on, clock)


def end_unproven(ledger: Ledger, clock: ManualClock) -> str:
    delivery = ask(ledger)
    token = claim(ledger, delivery)
    ledger.run(ledger.intend(delivery, token=token, target=TARGET))
    ledger.run(ledger.doubt(delivery, token=token, why="TimeoutError"))
    clock.advance(ms=ledger.timing.post_deadline_ms + ledger.timing.settle_delay_ms)
    token = claim(ledger, delivery)
    ledger.run(ledger.give_up(delivery, token=token, error="missing_scope", reason="Look there."))
    return token


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
