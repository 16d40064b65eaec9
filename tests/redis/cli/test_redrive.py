from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from projector.status import read_status
from tests.redis.cli.unproven import TARGET, end_unproven
from tests.redis.projector.asking import ask, claim, post, reject, stream

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from middleware.keys import Delivery
    from middleware.ledger import Ledger
    from tests.redis.cli.conftest import Ended

WHY = ("--why", "the channel is back", "--by", "ada@ops")
TS = "1800000000.000100"


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


def test_what_a_person_found_is_sent_to_where_the_intent_said(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    end_unproven(ledger)

    # When
    once = cli("redrive", "acme", "r1", *WHY, "--mark-sent", TS)
    again = cli("redrive", "acme", "r1", *WHY, "--mark-sent", TS)
    other = cli("redrive", "acme", "r1", *WHY, "--mark-sent", "1800000000.000200")

    # Then
    found = read_status(ledger, "acme", "r1")
    assert found is not None
    assert (found.status, found.receipt) == ("sent", {"channel": TARGET["channel"], "ts": TS})
    assert [each.code for each in (once, again, other)] == [
        ExitCode.DONE,
        ExitCode.DONE,
        ExitCode.REFUSED,
    ]
    assert "another receipt" in other.err


def test_where_the_record_names_no_channel_the_person_must(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    end_unproven(ledger, target={})

    # When
    without = cli("redrive", "acme", "r1", *WHY, "--mark-sent", TS)
    ended = cli("redrive", "acme", "r1", *WHY, "--mark-sent", TS, "--channel", "C9")

    # Then
    found = read_status(ledger, "acme", "r1")
    assert found is not None
    assert (without.code, ended.code) == (ExitCode.USAGE, ExitCode.DONE)
    assert "--channel" in without.err
    assert found.receipt == {"channel": "C9", "ts": TS}


@pytest.mark.parametrize(("end", "said"), [(reject, "is rejected"), (claim, "is claimed")])
def test_only_what_is_unproven_is_marked(
    cli: Callable[..., Ended],
    ledger: Ledger,
    end: Callable[[Ledger, Delivery], object],
    said: str,
) -> None:
    # Given
    end(ledger, ask(ledger))

    # When
    ended = cli("redrive", "acme", "r1", *WHY, "--mark-sent", TS)

    # Then
    assert ended.code == ExitCode.REFUSED
    assert said in ended.err


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
