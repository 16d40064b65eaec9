"""What a service that uses this system would write, with nothing but its fixture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from actors.app import send_message
from middleware.errors import AlreadyDispatched, NotDueYet
from projector import Conflict, Duplicate, outcomes
from sandbox.slack.faults import Close, RateLimited

if TYPE_CHECKING:
    from sandbox.postonce import Postonce

HOUR_MS = 3_600_000


def test_posts_once(postonce: Postonce) -> None:
    postonce.request(
        tenant="acme",
        message_request_id="r1",
        channel_code="ops",
        template_code="hi",
        variables={},
    )
    send_message.send("acme", "r1")
    with pytest.raises(AlreadyDispatched):
        send_message.send("acme", "r1")
    postonce.drain()
    assert len(postonce.slack.posts) == 1


def ask(postonce: Postonce, message_request_id: str = "r1", **others: object) -> object:
    fields: dict[str, object] = {
        "tenant": "acme",
        "channel_code": "ops",
        "template_code": "alert",
        "variables": {"host": "db-1"},
        **others,
    }
    return postonce.request(message_request_id=message_request_id, **fields)


def test_a_request_is_posted_although_nobody_sent_it(postonce: Postonce) -> None:
    # Given
    ask(postonce)

    # When
    postonce.drain()

    # Then
    (post,) = postonce.slack.posts
    assert post.text == "alert host=db-1"
    assert postonce.status("acme", "r1").receipt == {"channel": post.channel, "ts": post.ts}


def test_asked_again_it_is_a_duplicate_and_asked_otherwise_a_conflict(postonce: Postonce) -> None:
    # Given
    ask(postonce)

    # When
    again = ask(postonce)
    otherwise = ask(postonce, variables={"host": "db-2"})
    postonce.drain()

    # Then
    assert again == Duplicate("waiting")
    assert otherwise == Conflict("waiting")
    assert [post.text for post in postonce.slack.posts] == ["alert host=db-1"]


def test_a_missing_variable_is_rejected_with_a_sentence(postonce: Postonce) -> None:
    # Given
    postonce.configure("acme", templates={"alert": {"text": "{{ host }} is {{ state }}"}})
    ask(postonce, variables={"host": "db-1"})

    # When
    postonce.drain()

    # Then
    (outcome,) = postonce.outcomes
    assert (outcome.event, outcome.error) == ("rejected", "missing_variable")
    assert outcome.reason == 'The variable "state" is missing, which "text" needs.'
    assert postonce.slack.attempts == ()


def test_a_rate_limited_message_comes_back_when_slack_said(postonce: Postonce) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(RateLimited(retry_after=30))
    begun_ms = postonce.clock.now_ms

    # When
    postonce.drain()

    # Then
    assert [attempt.answer for attempt in postonce.slack.attempts] == ["rate_limited", "ok"]
    assert len(postonce.slack.posts) == 1
    assert postonce.clock.now_ms >= begun_ms + 30_000
    assert postonce.status("acme", "r1").attempts == 1


def test_a_reply_stands_in_its_thread(postonce: Postonce) -> None:
    # Given
    ask(postonce, "parent")
    postonce.drain()
    receipt = postonce.status("acme", "parent").receipt
    assert receipt is not None

    # When
    ask(postonce, "reply", thread_ts=receipt["ts"])
    postonce.drain()

    # Then
    parent, reply = postonce.slack.posts
    assert (parent.thread_ts, reply.thread_ts) == (None, parent.ts)


def test_send_at_is_waited_for(postonce: Postonce) -> None:
    # Given
    in_an_hour = datetime.fromtimestamp(postonce.clock.now_ms / 1_000, UTC) + timedelta(hours=1)
    ask(postonce, send_at=in_an_hour.isoformat())

    # When
    postonce.work()
    with pytest.raises(NotDueYet):
        send_message.send("acme", "r1")
    before = postonce.slack.posts
    postonce.clock.advance(ms=HOUR_MS)
    postonce.work()

    # Then
    assert before == ()
    assert len(postonce.slack.posts) == 1


def test_a_message_whose_answer_was_lost_is_found_and_not_posted_again(
    postonce: Postonce,
) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(Close(stored=True))

    # When
    postonce.drain()

    # Then
    (post,) = postonce.slack.posts
    assert len(postonce.slack.attempts) == 1
    status = postonce.status("acme", "r1")
    assert (status.status, status.receipt) == ("sent", {"channel": "COPS", "ts": post.ts})


def test_a_message_that_slack_never_got_is_posted_again(postonce: Postonce) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(Close(stored=False))

    # When
    postonce.drain()

    # Then
    assert len(postonce.slack.attempts) == 2
    assert len(postonce.slack.posts) == 1
    assert postonce.status("acme", "r1").status == "sent"


def test_until_slack_is_looked_at_nobody_knows_and_nothing_is_posted(postonce: Postonce) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(Close(stored=False))
    postonce.work()

    # When
    before = postonce.status("acme", "r1").status
    postonce.clock.advance(ms=60_000)
    postonce.work()
    too_early = len(postonce.slack.attempts)
    postonce.clock.advance(ms=60_000)
    postonce.work()

    # Then
    assert before == "uncertain"
    assert too_early == 1
    assert postonce.status("acme", "r1").status == "sent"


def test_where_the_bot_may_not_read_a_person_must_look(postonce: Postonce) -> None:
    # Given
    ask(postonce)
    postonce.slack.change(history_readable=False)
    postonce.slack.fault(Close(stored=True))

    # When
    postonce.drain()

    # Then
    assert len(postonce.slack.attempts) == 1
    (outcome,) = postonce.outcomes
    assert (outcome.event, outcome.error) == ("unproven", "missing_scope")


def test_a_service_follows_outcomes_without_text(postonce: Postonce) -> None:
    # Given
    ask(postonce, "r1")
    ask(postonce, "r2", channel_code="other-ops")
    postonce.slack.declare_channel("TACME", "COPS", archived=True)

    # When
    postonce.drain()

    # Then
    followed = list(islice(outcomes(group="billing"), 2))
    assert {(each.message_request_id, each.event, each.error) for each in followed} == {
        ("r1", "rejected", "is_archived"),
        ("r2", "sent", None),
    }
    assert "db-1" not in str(followed)
