from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sandbox.slack.posts import Post
from tests.system.crashing.invariants import strays

ASKED_FOR = Post(
    team="T1",
    channel="C1",
    ts="1700000000.000100",
    thread_ts=None,
    text="Hello r1",
    blocks=None,
    metadata={"event_type": "postonce", "event_payload": {"delivery": "m"}},
    bot_id="B1",
    user_id="U1",
)


def test_messages_that_were_asked_for_are_no_strays() -> None:
    # Then
    assert list(strays([ASKED_FOR], [ASKED_FOR])) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"channel": "C2", "metadata": None}, id="another channel, no marker"),
        pytest.param({"channel": "C2"}, id="another channel"),
        pytest.param({"text": "Hello Bob", "metadata": None}, id="another text, no marker"),
        pytest.param({"text": "Hello Bob"}, id="another text"),
        pytest.param({"team": "T1G", "channel": "C1G"}, id="another tenant"),
    ],
)
def test_a_message_that_nobody_asked_for_is_a_stray(change: dict[str, Any]) -> None:
    # Given
    stray = replace(ASKED_FOR, ts="1700000001.000100", **change)

    # When
    (found,) = strays([ASKED_FOR, stray], [ASKED_FOR])

    # Then
    assert "nobody asked for" in found
    assert stray.channel in found


def test_a_message_without_a_marker_is_told() -> None:
    # Given
    unmarked = replace(ASKED_FOR, metadata=None)

    # Then
    assert list(strays([unmarked], [unmarked])) == ["'Hello r1' was posted without a marker"]
