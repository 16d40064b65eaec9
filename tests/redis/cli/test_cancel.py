from __future__ import annotations

from typing import TYPE_CHECKING

from actors.commands.exit_codes import ExitCode
from projector.status import read_status
from tests.redis.projector.asking import ask, claim, post

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.ledger import Ledger
    from tests.redis.cli.conftest import Ended


def test_what_waits_is_cancelled_at_once(cli: Callable[..., Ended], ledger: Ledger) -> None:
    # Given
    ask(ledger)

    # When
    ended = cli("cancel", "acme", "r1", "--why", "sent by mail", "--by", "ada@ops")
    again = cli("cancel", "acme", "r1")
    explained = cli("explain", "acme", "r1")

    # Then
    found = read_status(ledger, "acme", "r1")
    assert found is not None
    assert found.status == "cancelled"
    assert (ended.code, ended.out) == (ExitCode.DONE, "acme/r1: cancelled; it was not posted\n")
    assert again.code == ExitCode.DONE
    assert "by ada@ops, sent by mail: it is cancelled" in explained.out


def test_what_may_be_posted_is_only_asked_for(cli: Callable[..., Ended], ledger: Ledger) -> None:
    # Given
    delivery = ask(ledger)
    token = claim(ledger, delivery)
    ledger.run(ledger.intend(delivery, token=token, target={"channel": "C1"}))

    # When
    ended = cli("cancel", "acme", "r1", "--json")
    told = cli("cancel", "acme", "r1")

    # Then
    (answer,) = ended.objects
    assert (ended.code, answer["result"]) == (ExitCode.DONE, "asked")
    assert "proven absent" in told.out


def test_what_has_ended_is_too_late_to_cancel(cli: Callable[..., Ended], ledger: Ledger) -> None:
    # Given
    post(ledger, ask(ledger))

    # When
    ended = cli("cancel", "acme", "r1")

    # Then
    assert (ended.code, ended.out) == (ExitCode.REFUSED, "")
    assert ended.err == "postonce: acme/r1 is sent: too late to cancel it\n"


def test_an_unknown_request_has_an_exit_code_of_its_own(cli: Callable[..., Ended]) -> None:
    # When
    ended = cli("cancel", "acme", "r1", "--json")

    # Then
    (answer,) = ended.objects
    assert (ended.code, answer["result"]) == (ExitCode.UNKNOWN_REQUEST, "unknown")
