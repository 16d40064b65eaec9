"""What is said when a guarantee does not hold: one sentence with what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.system.deliveries import Deliveries


def assert_posted_once(system: Deliveries, *ids: str) -> None:
    """One POST has reached Slack for each, and one message stands there."""
    for each in ids:
        attempts, posts = len(system.attempts_of(each)), len(system.posts_of(each))
        assert attempts == 1, f"{each}: {attempts} POSTs reached Slack, not 1"
        assert posts == 1, f"{each}: {posts} messages stand in Slack, not 1"


def assert_sent_once(system: Deliveries, *ids: str) -> None:
    """Each ends as sent, by one POST, which is the one that was recorded."""
    statuses = system.wait_until_settled(*ids)
    for each in ids:
        status = statuses[each]
        assert status.status == "sent", f"{each}: {status.status} ({status.error}), not sent"
    assert_posted_once(system, *ids)
    for each in ids:
        (post,) = system.posts_of(each)
        receipt = statuses[each].receipt
        assert receipt == {"channel": post.channel, "ts": post.ts}, f"{each}: another receipt"
    assert_told_once(system, *ids)


def assert_told_once(system: Deliveries, *ids: str) -> None:
    """Those who follow outcomes are told of each one ending, and of no stray post."""
    told = system.told()
    for each in ids:
        events = [event for told_of, event in told if told_of == each]
        assert len(events) == 1, f"{each}: told {' and '.join(events) or 'nothing'}"
