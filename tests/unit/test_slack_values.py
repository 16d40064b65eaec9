from __future__ import annotations

import pytest

from actors.slack.errors import FateUnknown, PostByPassed
from actors.slack.message import SlackMessage
from actors.slack.wire import Wire
from middleware.post_by import PostBy, boot_clock_s

BLOCK: dict[str, object] = {"type": "section", "text": {"type": "plain_text", "text": "canary"}}


def test_a_message_is_sent_as_its_template_says_with_its_marker() -> None:
    # Given
    message = SlackMessage(text="hi @here", blocks=(BLOCK,), marker="m1")

    # When
    arguments = message.arguments({"team": "T1", "channel": "C1", "thread_ts": "170.01"})

    # Then
    assert arguments == {
        "channel": "C1",
        "thread_ts": "170.01",
        "text": "hi @here",
        "blocks": (BLOCK,),
        "metadata": {"event_type": "postonce", "event_payload": {"delivery": "m1"}},
        "link_names": False,
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
    }


def test_what_a_message_lacks_is_not_sent() -> None:
    # Given
    message = SlackMessage(text="hi", blocks=None, marker="m1")

    # When
    arguments = message.arguments({"team": "T1", "channel": "C1"})

    # Then
    assert arguments.keys().isdisjoint({"blocks", "thread_ts", "team"})


def test_repr_shows_no_text() -> None:
    # Given
    message = SlackMessage(text="canary", blocks=(BLOCK,), marker="m1")

    # Then
    assert repr(message) == "SlackMessage(marker='m1')"


def test_once_a_request_has_ended_no_task_left_behind_can_write_it() -> None:
    # Given
    wire = Wire(PostBy(boot_clock_s() + 60))
    with wire.in_use():
        pass

    # Then
    with pytest.raises(PostByPassed):
        wire.let_out()
    assert not wire.may_have_left


@pytest.mark.parametrize("reason", ["a piece of an answer", "", "x" * 65, "xoxb-1"])
def test_an_unknown_fate_says_nothing_but_codes(reason: str) -> None:
    assert str(FateUnknown(reason)) == "unreadable_reason"
