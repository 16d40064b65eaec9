"""Many are redriven, and something stops it half-way: whoever ordered it learns how far it came."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from projector.listing import Filter, list_statuses
from tests.lossy_proxy import LossyProxy
from tests.redis.cli.unproven import end_unproven
from tests.redis.projector.asking import ask, reject, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

    from middleware.ledger import Ledger
    from sandbox.servers import ValkeyProcess
    from tests.redis.cli.conftest import Ended

REASON = "the channel is back"
ALL_REJECTED = ("redrive", "--status", "rejected", "--yes", "--why", REASON)
ALL_UNPROVEN = ("redrive", "--status", "unproven", "--post-again", "--yes", "--why", REASON)
# So many are handed to the store at once.
CHUNK = 100
# One more than two such.
MANY = 2 * CHUNK + 1


@pytest.fixture
def many(ledger: Ledger, fold: Callable[[], None]) -> None:
    for number in range(MANY):
        reject(ledger, ask(ledger, f"r{number}"))
    fold()


def redriven(client: redis.Redis, ledger: Ledger) -> list[str]:
    """The requests of which that is told, each as often as it is."""
    return [
        event["id"]
        for partition in range(ledger.keys.partitions)
        for _, event in stream(client, ledger.keys.outcomes(partition))
        if event["event"] == "redriven"
    ]


@contextmanager
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stdout is a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", gone)
        yield


def stopped_after(line: str) -> tuple[int, int]:
    """How many were redriven for certain, and how many perhaps."""
    told = re.fullmatch(
        rf"postonce: stopped after (\d+) of {MANY}, perhaps (\d+) more were redriven; "
        "running it again is safe",
        line,
    )
    assert told is not None, line
    return int(told[1]), int(told[2])


@pytest.mark.usefixtures("many")
def test_a_reader_that_goes_away_is_told_with_how_far_it_came(
    cli: Callable[..., Ended],
    ledger: Ledger,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # When
    with nobody_reads(monkeypatch):
        stopped = cli(*ALL_REJECTED, "--json")
    so_far = redriven(client, ledger)
    again = cli(*ALL_REJECTED)

    # Then
    (line,) = stopped.err.splitlines()
    certain, perhaps = stopped_after(line)
    assert stopped.code == ExitCode.READER_GONE
    assert certain <= len(so_far) <= certain + perhaps
    assert len(so_far) < MANY
    assert (again.code, again.out) == (ExitCode.DONE, f"{MANY - len(so_far)} redriven, 0 refused\n")
    assert len(redriven(client, ledger)) == MANY


@pytest.mark.usefixtures("many")
def test_a_reader_that_is_gone_at_the_end_does_not_hide_what_was_done(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    # When
    with nobody_reads(monkeypatch):
        ended = cli(*ALL_REJECTED)

    # Then
    assert ended.code == ExitCode.READER_GONE
    assert f"stopped after {MANY} of {MANY};" in ended.err


@pytest.mark.usefixtures("many")
def test_ctrl_c_is_answered_with_what_the_store_was_doing_too(
    cli: Callable[..., Ended],
    ledger: Ledger,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given
    class Interrupted(io.StringIO):
        def write(self, _text: str) -> int:
            raise KeyboardInterrupt

    # When
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Interrupted())
        stopped = cli(*ALL_REJECTED, "--json")

    # Then
    (line,) = stopped.err.splitlines()
    assert stopped.code == ExitCode.INTERRUPTED
    assert stopped_after(line) == (1, CHUNK - 1)
    assert len(redriven(client, ledger)) == CHUNK


@pytest.mark.usefixtures("many")
def test_a_store_that_goes_away_meanwhile_is_told_with_how_far_it_came(
    cli: Callable[..., Ended],
    ledger: Ledger,
    client: redis.Redis,
    valkey: ValkeyProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given
    with LossyProxy(valkey.port) as proxy:
        monkeypatch.setenv("POSTONCE_REDIS_URL", proxy.url)
        proxy.lose_next_reply(to=REASON.encode(), times=1_000)

        # When
        stopped = cli(*ALL_REJECTED)
    monkeypatch.setenv("POSTONCE_REDIS_URL", valkey.url)
    again = cli(*ALL_REJECTED)

    # Then
    far, why = stopped.err.splitlines()
    assert (stopped.code, stopped.out) == (ExitCode.UNREACHABLE, "")
    assert stopped_after(far) == (0, CHUNK)
    assert "running it again is safe" in why
    assert again.code == ExitCode.DONE
    assert len(redriven(client, ledger)) == MANY


def test_another_post_of_many_is_not_said_to_be_safe_to_order_again(
    cli: Callable[..., Ended],
    ledger: Ledger,
    valkey: ValkeyProcess,
    fold: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given
    for name in ("r1", "r2"):
        end_unproven(ledger, name)
    fold()
    assert len(list(list_statuses(ledger, Filter(status="unproven")))) == 2

    # When
    with LossyProxy(valkey.port) as proxy:
        monkeypatch.setenv("POSTONCE_REDIS_URL", proxy.url)
        proxy.lose_next_reply(to=REASON.encode(), times=1_000)
        stopped = cli(*ALL_UNPROVEN)

    # Then
    assert stopped.code == ExitCode.UNREACHABLE
    for line in stopped.err.splitlines():
        assert line.endswith("run again, it posts a further time what has ended unproven anew")
