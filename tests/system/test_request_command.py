from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from middleware.keys import Delivery, Keys
from sandbox.servers import ValkeyProcess
from tests.redis.projector.asking import fields
from tests.system.program import END_S, START_S
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = Keys("mid", partitions=1)
# Several times what the command hands to the store at once, and no multiple of it: the last ones
# wait for more, or for the end.
LINES = 2_000


@pytest.fixture
def server() -> Iterator[ValkeyProcess]:
    """One of the test's own, to be killed."""
    with ValkeyProcess() as own:
        yield own


@pytest.fixture
def command(server: ValkeyProcess) -> Iterator[subprocess.Popen[str]]:
    """`postonce request -`, that reads on for as long as its stdin is open."""
    settings = {
        "POSTONCE_REDIS_URL": server.url,
        "POSTONCE_PREFIX": KEYS.prefix,
        "POSTONCE_PARTITIONS": str(KEYS.partitions),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "actors.cli", "request", "-", "--json"],
        env=os.environ | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def ask(command: subprocess.Popen[str]) -> None:
    assert command.stdin is not None
    for number in range(1, LINES + 1):
        command.stdin.write(json.dumps(fields(f"r{number}")) + "\n")
    command.stdin.flush()


def wait_until_begun(server: ValkeyProcess) -> None:
    with server.client() as client:
        wait_until(
            lambda: client.exists(KEYS.delivery(Delivery("acme", "r1"))),
            description="the first line is accepted",
            timeout_s=START_S,
        )


def reached(line: str) -> int:
    number = re.search(r"line (\d+)", line)
    assert number is not None
    return int(number[1])


def test_a_store_that_goes_away_in_the_middle_is_told_with_the_line_reached(
    server: ValkeyProcess, command: subprocess.Popen[str]
) -> None:
    # Given
    ask(command)
    wait_until_begun(server)

    # When
    server.kill()
    out, err = command.communicate(timeout=END_S)

    # Then
    assert command.returncode == 4
    (line,) = err.splitlines()
    assert "running it again is safe" in line
    assert json.loads(out)["accepted"] == reached(line) > 0


def test_a_signal_in_the_middle_is_answered_with_the_line_reached(
    server: ValkeyProcess, command: subprocess.Popen[str]
) -> None:
    # Given
    ask(command)
    wait_until_begun(server)

    # When
    command.send_signal(signal.SIGTERM)
    _, err = command.communicate(timeout=END_S)

    # Then
    assert command.returncode == 128 + signal.SIGTERM
    (line,) = err.splitlines()
    assert "stopped" in line
    assert "running it again is safe" in line


def test_a_reader_that_has_seen_enough_is_no_error(server: ValkeyProcess) -> None:
    # Given
    reader, writer = os.pipe()
    os.close(reader)

    # When
    ended = subprocess.run(
        [sys.executable, "-m", "actors.cli", "stats"],
        env=os.environ | {"POSTONCE_REDIS_URL": server.url},
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=START_S,
        check=False,
    )
    os.close(writer)

    # Then
    assert ended.returncode == 128 + signal.SIGPIPE
    assert ended.stderr == b""
