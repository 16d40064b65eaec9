"""The plugin in a project of its own, as a user's pytest run loads it."""

# ruff: noqa: E501 - one line of the printed test is longer

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

# As the design prints it.
PRINTED = """
import pytest
from actors.app import send_message
from middleware.errors import AlreadyDispatched

def test_posts_once(postonce):
    postonce.request(tenant="acme", message_request_id="r1", channel_code="ops", template_code="hi", variables={})
    send_message.send("acme", "r1")
    with pytest.raises(AlreadyDispatched):
        send_message.send("acme", "r1")
    postonce.drain()
    assert len(postonce.slack.posts) == 1
"""

AROUND_IT = """
import threading

import actors.app
from actors.app import send_message
from projector import get_ledger

at_first = (get_ledger(), send_message.broker, send_message.fn, list(actors.app.broker.middleware))

def test_with_it(postonce):
    assert get_ledger() is postonce.ledger
    assert send_message.broker is postonce.broker
    assert send_message.fn is at_first[2]
    asked = {"channel_code": "ops", "template_code": "hi", "variables": {}}
    postonce.request(tenant="acme", message_request_id="r1", **asked)
    postonce.drain()
    assert len(postonce.slack.posts) == 1

def test_with_a_new_one(postonce):
    assert postonce.slack.posts == ()
    assert postonce.outcomes == ()

def test_that_leaves_in_the_middle(postonce):
    send_message.send_with_options(args=("acme", "never-asked"))

def test_without_it():
    now = (get_ledger(), send_message.broker, send_message.fn, list(actors.app.broker.middleware))
    assert now == at_first
    assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
"""

# A connection fails the process, whoever asks for it.
LOADED_THEN_IMPORTED = """
import socket
import sys

import sandbox.pytest_plugin

ours = {"actors", "middleware", "projector", "dramatiq", "redis", "aiohttp", "pydantic"}
print(sorted(ours & {name.partition(".")[0] for name in sys.modules}))

def refuse(*_):
    raise AssertionError("it connects")

socket.socket.connect = socket.socket.connect_ex = refuse

from actors.app import send_message

print(send_message.actor_name)
"""


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("POSTONCE_", "SLACK_")):
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("no_settings")
def test_the_printed_test_passes_and_leaves_nothing_behind(pytester: pytest.Pytester) -> None:
    # Given
    pytester.makepyfile(test_a_printed=PRINTED, test_b_around=AROUND_IT)

    # When
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:randomly", timeout=50)

    # Then
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*RequestUnknown*", "*FAILED*test_that_leaves_in_the_middle*"])


@pytest.mark.usefixtures("no_settings")
def test_loading_the_plugin_imports_nothing_and_importing_the_actor_connects_to_nothing() -> None:
    # When
    answer = subprocess.run(
        [sys.executable, "-c", LOADED_THEN_IMPORTED],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )

    # Then
    assert answer.stdout.splitlines() == ["[]", "send_message"]
