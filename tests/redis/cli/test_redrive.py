from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from projector.status import read_status
from tests.redis.cli.unproven import end_unproven
from tests.redis.projector.asking import ask, claim, post, reject, stream

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from middleware.ledger import Ledger
    from tests.redis.cli.conftest import Ended

WHY = ("--why", "the channel is back", "--by", "ada@ops")
TS = "1796043073.545059"


def state(ledger: Ledger, message_request_id: str = "r1") -> str:
    found = read_status(ledger, "acme", message_request_id)
    assert found is not None
    return found.status


def test_what_was_rejected_waits_again_and_its_order_is_told(
    cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    reject(ledger, ask(ledger))

    # When
    ended = cli("redrive", "acme", "r1", *WHY)

    # Then
    (_, told) = stream(client, ledger.keys.outcomes(ledger.keys.partition_of("acme")))
    assert (ended.code, ended.err) == (ExitCode.DONE, "")
    assert ended.out.startswith("acme/r1: redriven")
    assert state(ledger) == "waiting"
    assert (told[1]["by"], told[1]["why"]) == ("ada@ops", "the channel is back")


def test_each_redrive_has_a_marker_of_its_own(
    cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    delivery = ask(ledger)
    markers = {client.hget(ledger.keys.delivery(delivery), "marker")}

    # When
    for _ in range(2):
        cli("cancel", "acme", "r1")
        cli("redrive", "acme", "r1", *WHY)
        markers.add(client.hget(ledger.keys.delivery(delivery), "marker"))

    # Then
    assert len(markers) == 3


def test_what_was_sent_is_refused_and_what_is_open_goes_on(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    post(ledger, ask(ledger, "r1"))
    claim(ledger, ask(ledger, "r2"))

    # When
    sent = cli("redrive", "acme", "r1", *WHY)
    claimed = cli("redrive", "acme", "r2", *WHY, "--json")

    # Then
    assert (sent.code, sent.out) == (ExitCode.REFUSED, "")
    assert sent.err == "postonce: acme/r1 is sent: what Slack has is never posted again\n"
    assert (claimed.code, claimed.err) == (ExitCode.REFUSED, "")
    assert claimed.objects == [
        {
            "tenant": "acme",
            "message_request_id": "r2",
            "result": "in_progress",
            "status": "claimed",
        }
    ]


@pytest.mark.parametrize("more", [(), ("--post-again",), ("--mark-sent", TS)])
def test_an_unknown_request_has_an_exit_code_of_its_own(
    cli: Callable[..., Ended], more: tuple[str, ...]
) -> None:
    # When
    ended = cli("redrive", "acme", "r1", *WHY, *more)

    # Then
    assert (ended.code, ended.out) == (ExitCode.UNKNOWN_REQUEST, "")
    assert '"r1"' in ended.err


def test_what_is_unproven_is_refused_with_both_ways_out(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    end_unproven(ledger)

    # When
    ended = cli("redrive", "acme", "r1", *WHY)

    # Then
    (line,) = ended.err.splitlines()
    assert ended.code == ExitCode.REFUSED
    for part in ("postonce explain acme r1", "--mark-sent TS", "--post-again"):
        assert part in line
    assert state(ledger) == "unproven"


def test_what_is_unproven_is_posted_again_where_that_is_ordered(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    end_unproven(ledger)

    # When
    ended = cli("redrive", "acme", "r1", *WHY, "--post-again")
    explained = cli("explain", "acme", "r1")

    # Then
    assert ended.code == ExitCode.DONE
    assert state(ledger) == "waiting"
    (ordered,) = [line for line in explained.out.splitlines() if "  post ordered  " in line]
    assert "by ada@ops, the channel is back: it had ended unproven" in ordered


def test_another_post_is_not_ordered_of_what_was_never_posted(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    reject(ledger, ask(ledger))

    # When
    ended = cli("redrive", "acme", "r1", *WHY, "--post-again")

    # Then
    assert ended.code == ExitCode.REFUSED
    assert "without --post-again" in ended.err


def test_an_order_without_a_reason_changes_nothing(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    reject(ledger, ask(ledger))

    # When
    ended = cli("redrive", "acme", "r1")

    # Then
    assert ended.code == ExitCode.USAGE
    assert "--why is missing" in ended.err
    assert state(ledger) == "rejected"
