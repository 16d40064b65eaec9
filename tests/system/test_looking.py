"""A POST of unknown fate, looked for in Slack by the whole system."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from slack_sdk import WebClient

from actors.app import send_message
from middleware.keys import Delivery
from projector.explanation import read_explanation
from sandbox.slack.faults import Close, ErrorCode, RateLimited
from tests.system.looking import HISTORY, REPLIES, calls

if TYPE_CHECKING:
    from sandbox.postonce import Postonce
    from sandbox.slack import Post

TEAM, CHANNEL = "TACME", "COPS"


def ask(postonce: Postonce, message_request_id: str = "r1", **others: object) -> None:
    fields: dict[str, object] = {
        "tenant": "acme",
        "channel_code": "ops",
        "template_code": "hi",
        "variables": {},
        **others,
    }
    postonce.request(message_request_id=message_request_id, **fields)


def posted(
    postonce: Postonce, *, token: str = f"xoxb-{TEAM}-test", marker: str | None = None
) -> str:
    """By hand, as the same bot unless another's token is given; the message's ts."""
    metadata = {"event_type": "postonce", "event_payload": {"delivery": marker}}
    bot = WebClient(token=token, base_url=postonce.slack.url)
    answer = bot.chat_postMessage(
        channel=CHANNEL, text="by hand", metadata=metadata if marker else None
    )
    return str(answer["ts"])


def by_this_system(postonce: Postonce) -> list[Post]:
    return [post for post in postonce.slack.posts if post.marker is not None]


def forget_target(postonce: Postonce) -> None:
    """As where the store lost what the intent wrote: only that it came after the acceptance is
    known then.
    """
    store = postonce.ledger.store.client
    key = postonce.ledger.keys.delivery(Delivery("acme", "r1"))
    assert store.hdel(key, "target") == 1
    store.hset(key, "intent_at", str(store.hget(key, "accepted_at")))


def whys(postonce: Postonce) -> list[object]:
    explained = read_explanation(postonce.ledger, "acme", "r1")
    assert explained is not None
    return [each.details["why"] for each in explained.evidence if each.what == "look told nothing"]


def ended(postonce: Postonce) -> tuple[str, str | None]:
    status = postonce.status("acme", "r1")
    return status.status, status.error


def test_a_reply_whose_answer_was_lost_is_found_in_its_thread(postonce: Postonce) -> None:
    # Given
    parent_ts = posted(postonce)
    ask(postonce, thread_ts=parent_ts)
    postonce.slack.fault(Close(stored=True))

    # When
    postonce.drain()

    # Then
    assert [post.thread_ts for post in by_this_system(postonce)] == [parent_ts]
    assert ended(postonce) == ("sent", None)
    assert REPLIES in calls(postonce.slack)


def test_ten_lost_answers_of_a_channel_are_looked_for_at_once(postonce: Postonce) -> None:
    # Given
    ids = [f"r{number}" for number in range(10)]
    for each in ids:
        ask(postonce, each)
    postonce.slack.fault(Close(stored=True, times=5), Close(stored=False, times=5))

    # When
    postonce.drain()

    # Then
    assert {postonce.status("acme", each).status for each in ids} == {"sent"}
    assert len({post.marker for post in postonce.slack.posts}) == len(postonce.slack.posts) == 10
    assert calls(postonce.slack)[HISTORY] == 1


def test_a_second_post_that_is_found_is_told(postonce: Postonce) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(Close(stored=True))
    postonce.work()
    (first,) = by_this_system(postonce)
    second_ts = posted(postonce, marker=first.marker)

    # When
    postonce.drain()

    # Then
    told = [(each.event, (each.receipt or {}).get("ts")) for each in postonce.outcomes]
    assert told == [("sent", first.ts), ("duplicate_post", second_ts)]


@pytest.mark.parametrize("stored", [True, False])
def test_where_the_target_is_lost_it_is_looked_for_where_it_would_go_today(
    postonce: Postonce, *, stored: bool
) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(Close(stored=stored))
    postonce.work()
    forget_target(postonce)

    # When
    postonce.drain()

    # Then
    assert ended(postonce) == ("sent", None)
    assert len(by_this_system(postonce)) == 1
    assert len(postonce.slack.attempts) == (1 if stored else 2)


def test_where_the_target_is_lost_a_thread_that_was_set_later_is_not(postonce: Postonce) -> None:
    # Given
    parent_ts = posted(postonce)
    ask(postonce)
    send_message.send("acme", "r1", parent_ts)
    postonce.slack.fault(Close(stored=True))
    postonce.work()
    forget_target(postonce)

    # When
    postonce.drain()

    # Then
    assert [post.thread_ts for post in by_this_system(postonce)] == [parent_ts]
    assert ended(postonce) == ("sent", None)


MOVED: dict[str, object] = {"ops": {"workspace": "main", "id": "CMOVED"}}


@pytest.mark.parametrize("stored", [True, False])
def test_where_the_target_is_lost_and_the_channel_was_changed_absence_proves_nothing(
    postonce: Postonce, *, stored: bool
) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(Close(stored=stored))
    postonce.work()
    forget_target(postonce)

    # When
    postonce.configure("acme", channels=MOVED)
    postonce.drain()

    # Then
    assert ended(postonce) == ("unproven", "target_lost_and_channel_changed")
    assert len(postonce.slack.attempts) == 1


def test_where_the_target_is_lost_and_the_channel_was_changed_what_is_found_is_found(
    postonce: Postonce,
) -> None:
    # Given: it was changed after the acceptance, and before the POST.
    ask(postonce)
    postonce.configure("acme", channels=MOVED)
    postonce.slack.fault(Close(stored=True))
    postonce.work()
    forget_target(postonce)

    # When
    postonce.drain()

    # Then
    assert ended(postonce) == ("sent", None)
    assert [post.channel for post in postonce.slack.posts] == ["CMOVED"]


def in_an_hour(postonce: Postonce) -> str:
    now = datetime.fromtimestamp(postonce.clock.now_ms / 1_000, UTC)
    return (now + timedelta(hours=1)).isoformat()


def test_where_the_target_is_lost_and_nothing_says_where_it_would_go_a_person_must_look(
    postonce: Postonce,
) -> None:
    # Given
    ask(postonce, expires_at=in_an_hour(postonce))
    postonce.slack.fault(Close(stored=True))
    postonce.work()
    forget_target(postonce)
    postonce.configure("acme", enabled=False)

    # When
    postonce.drain()

    # Then
    assert ended(postonce) == ("unproven", "tenant_disabled")
    assert len(postonce.slack.attempts) == 1


def test_what_a_person_may_mend_is_looked_for_until_the_limit(postonce: Postonce) -> None:
    # Given
    ask(postonce, expires_at=in_an_hour(postonce))
    postonce.slack.fault(
        Close(stored=False), ErrorCode(code="account_inactive", method=HISTORY, times=None)
    )

    # When
    postonce.drain()

    # Then
    assert ended(postonce) == ("unproven", "account_inactive")
    assert len(postonce.slack.attempts) == 1


def test_what_a_person_has_mended_is_found(postonce: Postonce) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(
        Close(stored=True), ErrorCode(code="token_revoked", method=HISTORY, times=3)
    )

    # When
    postonce.drain()

    # Then
    assert ended(postonce) == ("sent", None)
    assert whys(postonce) == ["token_revoked"] * 3
    assert len(postonce.slack.attempts) == 1


def test_a_look_that_is_rate_limited_comes_back_when_slack_said(postonce: Postonce) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(Close(stored=True), RateLimited(retry_after=90, method=HISTORY))
    postonce.work()
    postonce.clock.advance(ms=70_000)
    postonce.work()

    # When
    postonce.clock.advance(ms=89_999)
    postonce.work()
    before = calls(postonce.slack)[HISTORY]
    postonce.clock.advance(ms=1)
    postonce.work()

    # Then
    assert before == 1
    assert ended(postonce) == ("sent", None)


@pytest.mark.parametrize("stored", [True, False])
def test_at_one_short_page_a_minute_it_takes_long_and_is_told_all_the_same(
    postonce: Postonce, *, stored: bool
) -> None:
    # Given
    ask(postonce)
    postonce.slack.change(history_page_max=2, history_per_minute=1)
    postonce.slack.fault(Close(stored=stored))
    postonce.work()
    for _ in range(7):
        posted(postonce)

    # When
    postonce.drain()

    # Then
    assert ended(postonce) == ("sent", None)
    assert len(by_this_system(postonce)) == 1
    assert whys(postonce) == ["rate_limited"] * 3


def test_a_message_that_another_bot_copied_and_nobody_sees_any_more_is_for_a_person(
    postonce: Postonce,
) -> None:
    # Given
    ask(postonce)
    postonce.slack.fault(Close(stored=True))
    postonce.work()
    (post,) = by_this_system(postonce)
    postonce.slack.declare_token("xoxb-stranger", team=TEAM, bot_id="B999")
    posted(postonce, token="xoxb-stranger", marker=post.marker)
    postonce.slack.remove(post)

    # When
    postonce.drain()

    # Then
    assert ended(postonce) == ("unproven", "marker_of_another_bot")
    assert len(postonce.slack.attempts) == 2
