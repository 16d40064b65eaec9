from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from projector.status import read_status
from tests.redis.cli.unproven import TARGET, end_unproven
from tests.redis.projector.asking import ask, claim, reject

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.keys import Delivery
    from middleware.ledger import Ledger
    from tests.redis.cli.conftest import Ended

CHANNEL = TARGET["channel"]
HOUR_S = 3_600


@pytest.fixture
def mark(cli: Callable[..., Ended]) -> Callable[..., Ended]:
    """Says where `acme/r1` is."""

    def marked(where: str, *more: str) -> Ended:
        why = ("--why", "found it", "--by", "ada@ops")
        return cli("redrive", "acme", "r1", *why, "--mark-sent", where, *more)

    return marked


@pytest.fixture
def now_s() -> int:
    """When it is asked for, and posted if it was."""
    return int(time.time())


def ts(seconds: int) -> str:
    return f"{seconds}.000100"


def link(seconds: int, channel: str = CHANNEL) -> str:
    return f"https://acme.slack.com/archives/{channel}/p{seconds}000100"


def outcome(ledger: Ledger) -> tuple[str, object]:
    """Its state and its receipt."""
    found = read_status(ledger, "acme", "r1")
    assert found is not None
    return found.status, found.receipt


def test_what_a_person_found_is_sent_to_where_the_intent_said(
    mark: Callable[..., Ended], ledger: Ledger, now_s: int
) -> None:
    # Given
    end_unproven(ledger)

    # When
    once, again, other = mark(ts(now_s)), mark(ts(now_s)), mark(ts(now_s + 1))

    # Then
    assert outcome(ledger) == ("sent", {"channel": CHANNEL, "ts": ts(now_s)})
    assert (once.code, again.code, other.code) == (
        ExitCode.DONE,
        ExitCode.DONE,
        ExitCode.REFUSED,
    )
    assert "another receipt" in other.err


def test_where_the_record_names_no_channel_the_person_must(
    mark: Callable[..., Ended], ledger: Ledger, now_s: int
) -> None:
    # Given
    end_unproven(ledger, target={})

    # When
    without = mark(ts(now_s))
    ended = mark(ts(now_s), "--channel", "C9")

    # Then
    assert (without.code, ended.code) == (ExitCode.USAGE, ExitCode.DONE)
    assert "--channel" in without.err
    assert outcome(ledger) == ("sent", {"channel": "C9", "ts": ts(now_s)})


@pytest.mark.parametrize(("end", "said"), [(reject, "is rejected"), (claim, "is claimed")])
def test_only_what_is_unproven_is_marked(
    mark: Callable[..., Ended],
    ledger: Ledger,
    now_s: int,
    end: Callable[[Ledger, Delivery], object],
    said: str,
) -> None:
    # Given
    end(ledger, ask(ledger))

    # When
    ended = mark(ts(now_s))

    # Then
    assert ended.code == ExitCode.REFUSED
    assert said in ended.err


@pytest.mark.parametrize(
    "copied",
    [
        "p{now_s}000100",
        "https://acme.slack.com/archives/C0123ABCD/p{now_s}000100",
        "https://acme.slack.com/archives/C0123ABCD/p{now_s}000100?thread_ts=1700000000.000100",
    ],
)
def test_what_slack_copies_says_where_it_is(
    mark: Callable[..., Ended], ledger: Ledger, now_s: int, copied: str
) -> None:
    # Given
    end_unproven(ledger)

    # When
    ended = mark(copied.format(now_s=now_s))

    # Then
    assert (ended.code, ended.err) == (ExitCode.DONE, "")
    assert outcome(ledger) == ("sent", {"channel": CHANNEL, "ts": ts(now_s)})


def test_a_link_into_another_channel_is_of_another_message_unless_that_is_meant(
    mark: Callable[..., Ended], ledger: Ledger, now_s: int
) -> None:
    # Given
    end_unproven(ledger)

    # When
    refused = mark(link(now_s, "C9"))
    before = outcome(ledger)
    ended = mark(link(now_s, "C9"), "--channel", "C9")

    # Then
    assert (refused.code, before) == (ExitCode.USAGE, ("unproven", None))
    assert f"into C9, but the record says {CHANNEL}" in refused.err
    assert ended.code == ExitCode.DONE
    assert outcome(ledger) == ("sent", {"channel": "C9", "ts": ts(now_s)})


@pytest.mark.parametrize("target", [{}, {"channel": "U0123ABCD"}])
def test_a_link_says_the_channel_where_the_record_cannot(
    mark: Callable[..., Ended], ledger: Ledger, now_s: int, target: dict[str, str]
) -> None:
    # Given
    end_unproven(ledger, target=target)

    # When
    ended = mark(link(now_s, "D9"))

    # Then
    assert ended.code == ExitCode.DONE
    assert outcome(ledger) == ("sent", {"channel": "D9", "ts": ts(now_s)})


@pytest.mark.parametrize(
    ("later_s", "said"), [(-HOUR_S, "only asked for at"), (HOUR_S, "still to come")]
)
def test_what_was_posted_when_it_cannot_have_been_is_another_message(
    mark: Callable[..., Ended], ledger: Ledger, now_s: int, later_s: int, said: str
) -> None:
    # Given
    end_unproven(ledger)

    # When
    ended = mark(ts(now_s + later_s))

    # Then
    (line,) = ended.err.splitlines()
    assert (ended.code, outcome(ledger)) == (ExitCode.USAGE, ("unproven", None))
    assert said in line


@pytest.mark.parametrize("later_s", [-120, 120])
def test_clocks_may_differ_by_minutes(
    mark: Callable[..., Ended], ledger: Ledger, now_s: int, later_s: int
) -> None:
    # Given
    end_unproven(ledger)

    # When
    ended = mark(ts(now_s + later_s))

    # Then
    assert ended.code == ExitCode.DONE


def test_the_message_that_begins_the_thread_is_no_reply_in_it(
    mark: Callable[..., Ended], ledger: Ledger, now_s: int
) -> None:
    # Given
    end_unproven(ledger, target={**TARGET, "thread_ts": ts(now_s)})

    # When
    ended = mark(link(now_s))

    # Then
    assert ended.code == ExitCode.USAGE
    assert "begins the thread" in ended.err
    assert outcome(ledger)[0] == "unproven"
