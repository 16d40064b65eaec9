"""The scenarios that are recorded and struck, and what may come of each.

Together they reach every transition, every command of the queue and every method of Slack's; a test
says which are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.system.crashing import ways_of_orders as orders
from tests.system.crashing import ways_of_sending as sending
from tests.system.crashing import ways_of_upkeep as upkeep
from tests.system.crashing.points import Kind, Place, Strike

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tests.system.crashing.run import Run


@dataclass(frozen=True, slots=True)
class Scenario:
    """`play` returns when nothing more is asked; `outcomes` are those that its requests may have.

    `troubles` befall every run of it, the recording too. `posts` is how often a message may be
    posted: more than once only where a person orders it. `waits_long`: its runs do little else.
    `is_apart`: although they look the same, its ways are no other scenario's.
    """

    name: str
    play: Callable[[Run], None]
    outcomes: Collection[str]
    troubles: tuple[Strike, ...] = ()
    posts: int = 1
    waits_long: bool = False
    is_apart: bool = False


_SENT = frozenset({"sent"})
_CANCELLED = frozenset({"cancelled"})
_EXPIRED = frozenset({"expired"})
_REJECTED = frozenset({"rejected"})
# The sweeper is not told whether its message reached the queue.
_UNTOLD = Strike(Place("worker", "queue", "queue.enqueue", "nothing", 1, None), Kind.LOST)

SCENARIOS = (
    Scenario("start-up", sending.start_up, _SENT),
    Scenario("repeated", sending.repeated, _SENT),
    Scenario("not-now", sending.not_now, _SENT),
    Scenario("refused-by-slack", sending.refused_by_slack, _REJECTED),
    Scenario("refused-before", sending.refused_before_the_post, _REJECTED),
    Scenario("answer-lost", sending.answer_lost, _SENT),
    Scenario("answer-lost-in-thread", sending.answer_lost_in_a_thread, _SENT),
    Scenario("post-lost", sending.post_lost, _SENT),
    Scenario("look-put-off", sending.look_put_off, _SENT, waits_long=True),
    Scenario("unreadable", sending.unreadable_history, _SENT | {"unproven"}, is_apart=True),
    Scenario("message-lost", sending.message_lost, _SENT),
    Scenario("no-projector", sending.no_projector, _SENT),
    Scenario("not-dispatched", sending.no_projector, _SENT, troubles=(_UNTOLD,)),
    Scenario("sent-later", sending.sent_later, _SENT),
    Scenario("cancelled", orders.cancelled_in_time, _CANCELLED),
    Scenario("cancelled-on-queue", orders.cancelled_on_the_queue, _CANCELLED),
    Scenario("cancelled-in-flight", orders.cancelled_in_flight, _CANCELLED | _SENT),
    Scenario("cancelled-in-doubt", orders.cancelled_in_doubt, _CANCELLED | _SENT),
    Scenario("expired-undispatched", sending.expired_undispatched, _EXPIRED),
    Scenario("expired-unclaimed", sending.expired_unclaimed, _EXPIRED),
    Scenario("redriven", orders.redriven, _SENT),
    Scenario("posted-again", orders.posted_again, _SENT, posts=2),
    Scenario("marked-sent", orders.marked_sent, _SENT),
    Scenario("rebuilt", orders.rebuilt, _SENT),
    Scenario("unreadable-event", sending.unreadable_event, _SENT),
    Scenario("stopped", orders.stopped, _SENT),
    Scenario("configured", upkeep.configured, _SENT),
    Scenario("followed", upkeep.followed, _SENT),
    Scenario("trimmed", upkeep.trimmed, _SENT),
)
