from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from slack_sdk import WebClient

from sandbox.servers import free_port
from sandbox.slack import SlackDidNotStart, SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

END_S = 10


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def program(port: int) -> Iterator[subprocess.Popen[str]]:
    """`python -m sandbox`, listening."""
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--history-lag-ms", "60000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f":{port}/api/" in process.stdout.readline()
        yield process
        process.kill()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_and_ends_cleanly(
    program: subprocess.Popen[str], port: int, ending: signal.Signals
) -> None:
    # Given
    bot = WebClient(token="xoxb-T1", base_url=f"http://127.0.0.1:{port}/api/")
    bot.chat_postMessage(channel="C1", text="hi")

    # When
    history = bot.conversations_history(channel="C1")["messages"]
    program.send_signal(ending)

    # Then
    assert history == []
    assert program.wait(END_S) == 0


@pytest.mark.usefixtures("program")
def test_a_port_that_is_taken_is_said_in_a_sentence(port: int) -> None:
    # When
    second = subprocess.run(
        [sys.executable, "-m", "sandbox", "--port", str(port)],
        capture_output=True,
        text=True,
        timeout=END_S,
        check=False,
    )

    # Then
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr
    assert "Traceback" not in second.stderr


def test_help_shows_an_example() -> None:
    # When
    shown = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"],
        capture_output=True,
        text=True,
        timeout=END_S,
        check=True,
    )

    # Then
    assert "python -m sandbox --port 8080" in shown.stdout


def test_two_sandboxes_cannot_share_a_port(port: int) -> None:
    # Given
    with SlackSandbox(port=port), pytest.raises(SlackDidNotStart) as raised:
        # When
        SlackSandbox(port=port).start()

    # Then
    assert raised.value.port == port


def test_what_was_posted_can_be_read_after_the_end() -> None:
    # Given
    with SlackSandbox() as slack:
        WebClient(token="xoxb-T1", base_url=slack.url).chat_postMessage(channel="C1", text="hi")

    # When
    posts = slack.posts

    # Then
    assert [post.text for post in posts] == ["hi"]
