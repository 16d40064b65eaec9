"""From a bad end to a good one, through the whole system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.app import send_message
from middleware.answers import Asked, Ok
from middleware.dispatch_once import new_marker
from middleware.keys import Delivery
from middleware.operating import MayBePosted, Order, redrive
from sandbox.slack.faults import Close, ErrorCode

if TYPE_CHECKING:
    from middleware.operating import RedriveAnswer
    from sandbox.postonce import Postonce

R1 = Delivery("acme", "r1")


def ask(postonce: Postonce) -> None:
    postonce.request(
        tenant="acme",
        message_request_id="r1",
        channel_code="ops",
        template_code="hi",
        variables={"name": "Ada"},
    )


def order_again(postonce: Postonce, *, post_again: bool = False) -> RedriveAnswer:
    order = Order(by="ada@ops", why="it is mended")
    call = redrive(postonce.ledger, R1, order, marker=new_marker(), post_again=post_again)
    return postonce.ledger.run(call)


def events(postonce: Postonce) -> list[str]:
    return [outcome.event for outcome in postonce.outcomes]


def test_what_slack_refused_is_redriven_and_posted_once(postonce: Postonce) -> None:
    # Given
    postonce.slack.fault(ErrorCode(code="is_archived"))
    ask(postonce)
    send_message.send("acme", "r1")
    postonce.drain()
    before = postonce.status("acme", "r1")

    # When
    answer = order_again(postonce)
    postonce.drain()

    # Then
    after = postonce.status("acme", "r1")
    assert answer == Ok()
    assert (before.error, after.status, after.attempts) == ("is_archived", "sent", 1)
    assert len(postonce.slack.posts) == 1
    assert events(postonce) == ["rejected", "redriven", "sent"]


def test_what_was_configured_meanwhile_is_what_is_posted(postonce: Postonce) -> None:
    # Given
    postonce.configure("acme", templates={"hi": {"text": "Hi {{ nmae }}"}})
    ask(postonce)
    postonce.drain()
    postonce.configure("acme", templates={"hi": {"text": "Hi {{ name }}"}})

    # When
    order_again(postonce)
    postonce.drain()

    # Then
    assert [post.text for post in postonce.slack.posts] == ["Hi Ada"]


def test_what_was_cancelled_is_wanted_after_all(postonce: Postonce) -> None:
    # Given
    ask(postonce)
    postonce.ledger.run(postonce.ledger.cancel(R1))
    postonce.drain()

    # When
    order_again(postonce)
    postonce.drain()

    # Then
    assert len(postonce.slack.posts) == 1
    assert events(postonce) == ["cancelled", "redriven", "sent"]


def test_a_cancel_asked_while_its_post_is_unaccounted_for_holds_once_that_is_absent(
    postonce: Postonce,
) -> None:
    # Given
    postonce.slack.fault(Close())
    ask(postonce)
    postonce.work()
    before = postonce.status("acme", "r1").status

    # When
    answer = postonce.ledger.run(postonce.ledger.cancel(R1))
    postonce.drain()

    # Then
    assert (before, answer) == ("uncertain", Asked())
    assert events(postonce) == ["cancelled"]
    assert postonce.slack.posts == ()


def test_what_nobody_can_tell_is_posted_again_only_by_order(postonce: Postonce) -> None:
    # Given
    postonce.slack.fault(Close())
    postonce.slack.fault(
        ErrorCode(code="missing_scope", times=None, method="conversations.history")
    )
    ask(postonce)
    postonce.drain()
    before = postonce.status("acme", "r1").status

    # When
    answers = [order_again(postonce), order_again(postonce, post_again=True)]
    postonce.drain()

    # Then
    assert before == "unproven"
    assert answers == [MayBePosted("unproven"), Ok()]
    assert len(postonce.slack.posts) == 1
    assert events(postonce) == ["unproven", "redriven", "sent"]
