"""What happens to requests that nobody interferes with: each way leads past other points."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.slack.faults import RateLimited, Reset
from tests.system.crashing.invariants import unrest

if TYPE_CHECKING:
    from tests.system.crashing.run import Run


def come_to_rest(run: Run) -> None:
    run.wait_until(lambda: not unrest(run), "all is at rest")


def ready(run: Run) -> None:
    """Projector and worker have nothing to do, and from now on effects are counted."""
    run.start_and_wait("projector", "worker")
    run.watch.arm()


def in_s(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()


def start_up(run: Run) -> None:
    """Each process is started when the one before has done its part."""
    run.watch.arm()
    run.request("r1")
    run.crew.start("projector")
    run.wait_until(lambda: run.is_folded() and run.is_idle("projector"), "it is folded")
    # There is no worker yet, so no sweeper that could have put it there, or fetched it.
    if run.queued() == 0:
        run.crew.notices.append("r1 is folded, but was not dispatched")
    run.crew.start("worker")


def repeated(run: Run) -> None:
    """A service asks twice, and for something else under the same id."""
    ready(run)
    run.request("r1")
    run.request("r1")
    run.request("r1", variables={"name": "Bob"})


def not_now(run: Run) -> None:
    ready(run)
    run.slack_will(RateLimited(retry_after=1))
    run.request("r1")


def refused_by_slack(run: Run) -> None:
    ready(run)
    run.slack.declare_channel(run.team, run.channel, archived=True)
    run.request("r1")


def refused_before_the_post(run: Run) -> None:
    ready(run)
    run.request("r1", template_code="unheard-of")


def answer_lost(run: Run) -> None:
    """Slack has taken the message, and its answer does not come."""
    ready(run)
    run.slack_will(Reset(stored=True))
    run.request("r1")


def answer_lost_in_a_thread(run: Run) -> None:
    ready(run)
    run.request("r1")
    come_to_rest(run)
    run.slack_will(Reset(stored=True))
    (parent,) = run.posts_of("r1")
    run.request("r2", thread_ts=parent.ts)


def post_lost(run: Run) -> None:
    """Slack has not got the message, but nobody knows that."""
    ready(run)
    run.slack_will(Reset(stored=False))
    run.request("r1")


def look_put_off(run: Run) -> None:
    ready(run)
    run.slack_will(Reset(stored=True), RateLimited(method="conversations.history", retry_after=1))
    run.request("r1")


def unreadable_history(run: Run) -> None:
    """Only who has the receipt can tell that it was posted."""
    run.start_and_wait("projector", "worker")
    run.slack.declare_team(run.team, scopes=("chat:write",))
    with run.crew.slack_waiting():
        run.request("r1")
        run.wait_until_asked("worker", "chat.postMessage")
        run.watch.arm()


def message_lost(run: Run) -> None:
    """The queue loses what was dispatched."""
    run.start_and_wait("projector")
    run.watch.arm()
    run.request("r1")
    run.wait_until_asked("projector", "fold_requested")
    run.lose_queue()
    run.crew.start("worker")


def no_projector(run: Run) -> None:
    """Nobody dispatches but the sweeper."""
    run.start_and_wait("worker")
    run.watch.arm()
    run.request("r1")
    run.wait_until(run.has_settled, "it has an outcome")
    run.crew.start("projector")


def sent_later(run: Run) -> None:
    ready(run)
    run.request("r1", send_at=in_s(1.5))


def expired_undispatched(run: Run) -> None:
    """The projector comes too late."""
    run.watch.arm()
    run.request("r1", expires_at=in_s(-1))
    run.crew.start("projector")
    run.wait_until(run.has_settled, "it has an outcome")
    run.crew.start("worker")


def expired_unclaimed(run: Run) -> None:
    """The queue loses what was dispatched, and no worker finds that out in time."""
    run.start_and_wait("projector")
    run.watch.arm()
    run.request("r1", expires_at=in_s(0.8))
    run.wait_until_asked("projector", "fold_requested")
    run.lose_queue()
    run.wait_until_due()
    run.crew.start("worker")


def unreadable_event(run: Run) -> None:
    """Somebody else has written to the log."""
    ready(run)
    run.ledger.store.client.xadd(run.ledger.keys.requests(0), {"event": "unheard-of"})
    run.request("r1")
