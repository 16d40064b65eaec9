from __future__ import annotations

import os
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from actors.commands.exit_codes import ExitCode
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from projector.status import read_status
from sandbox.servers import ValkeyProcess
from tests.redis.projector.asking import ask, post
from tests.system.program import START_S

if TYPE_CHECKING:
    from collections.abc import Iterator

CANCEL = ("cancel", "acme", "r1", "--why", "sent by mail")
# Python passes each line on at once, or all at its end.
BUFFERINGS = [{}, {"PYTHONUNBUFFERED": "1"}]


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyProcess]:
    with ValkeyProcess() as own:
        yield own


@pytest.fixture
def ledger(server: ValkeyProcess) -> Iterator[Ledger]:
    store = Store(server.url)
    yield Ledger(store, Keys(secrets.token_hex(4), partitions=1), Timing())
    store.close()


def ran(
    ledger: Ledger, *arguments: str, redirection: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """By a shell, which can close what Python would not."""
    settings = {
        "POSTONCE_REDIS_URL": ledger.store.url,
        "POSTONCE_PREFIX": ledger.keys.prefix,
        "POSTONCE_PARTITIONS": str(ledger.keys.partitions),
    }
    return subprocess.run(
        [
            "/bin/sh",
            "-c",
            f'exec "$@" {redirection}',
            "sh",
            sys.executable,
            "-m",
            "actors.cli",
            *arguments,
        ],
        env=os.environ | settings | environment,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


def state(ledger: Ledger) -> str:
    found = read_status(ledger, "acme", "r1")
    assert found is not None
    return found.status


@pytest.mark.parametrize("environment", BUFFERINGS)
@pytest.mark.parametrize(
    ("redirection", "why"), [(">/dev/full", "No space left on device"), (">&-", "it is closed")]
)
def test_an_order_that_cannot_be_shown_is_said_to_be_carried_out(
    ledger: Ledger, redirection: str, why: str, environment: dict[str, str]
) -> None:
    # Given
    ask(ledger)

    # When
    ended = ran(ledger, *CANCEL, redirection=redirection, environment=environment)

    # Then
    assert state(ledger) == "cancelled"
    assert ended.stderr == (f"postonce: carried out, but it could not be shown: stdout: {why}\n")
    assert ended.returncode == ExitCode.UNSHOWN


@pytest.mark.parametrize(
    "arguments", [("stats",), ("status", "acme", "r1"), ("explain", "acme", "r1")]
)
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_what_is_only_looked_at_ends_as_an_order_does(
    ledger: Ledger, arguments: tuple[str, ...], redirection: str
) -> None:
    # Given
    ask(ledger)

    # When
    ended = ran(ledger, *arguments, redirection=redirection, environment={})

    # Then
    (line,) = ended.stderr.splitlines()
    assert "could not be shown" in line
    assert ended.returncode == ExitCode.UNSHOWN


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_what_was_refused_is_not_said_to_be_carried_out(ledger: Ledger, redirection: str) -> None:
    # Given
    post(ledger, ask(ledger))

    # When
    ended = ran(ledger, *CANCEL, "--json", redirection=redirection, environment={})

    # Then
    (line,) = ended.stderr.splitlines()
    assert "stdout cannot be written" in line
    assert ended.returncode == ExitCode.REFUSED


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_a_complaint_that_nobody_can_read_leaves_its_exit_code(
    ledger: Ledger, redirection: str
) -> None:
    # When
    ended = ran(ledger, *CANCEL, redirection=redirection, environment={})

    # Then
    assert (ended.stdout, ended.stderr) == ("", "")
    assert ended.returncode == ExitCode.UNKNOWN_REQUEST


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_where_there_is_nothing_to_show_nothing_is_missing(
    ledger: Ledger, redirection: str
) -> None:
    # When
    ended = ran(ledger, "list", redirection=redirection, environment={})

    # Then
    assert (ended.returncode, ended.stderr) == (ExitCode.DONE, "")
