"""What happens to requests that people give orders about: each way leads past other points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.faults import RateLimited, Reset
from sandbox.slack.workspaces import DEFAULT_SCOPES
from tests.system.crashing.ways_of_sending import come_to_rest, in_s, ready, refused_by_slack

if TYPE_CHECKING:
    from sandbox.slack.faults import Fault
    from tests.system.crashing.run import Run


def cancelled_in_time(run: Run) -> None:
    ready(run)
    run.request("r1", send_at=in_s(60))
    run.wait_until(run.is_folded, "the projector knows it")
    run.tell_service("cancel", "r1")


def cancelled_on_the_queue(run: Run) -> None:
    run.start_and_wait("projector")
    run.watch.arm()
    run.request("r1")
    run.wait_until_asked("projector", "fold_requested")
    run.tell_service("cancel", "r1")
    run.crew.start("worker")


def cancelled_in_flight(run: Run) -> None:
    """Asked for while the POST is on its way, which is not taken for now."""
    _cancelled_while_it_is_held_up(run, RateLimited(retry_after=1))


def cancelled_in_doubt(run: Run) -> None:
    """Asked for while the POST is on its way, which gets lost."""
    _cancelled_while_it_is_held_up(run, Reset(stored=False))


def _cancelled_while_it_is_held_up(run: Run, fault: Fault) -> None:
    ready(run)
    run.slack_will(fault)
    with run.crew.slack_waiting():
        run.request("r1")
        run.wait_until_asked("worker", "chat.postMessage")
        run.tell_service("cancel", "r1")


def redriven(run: Run) -> None:
    """A person orders another round of what Slack refused."""
    refused_by_slack(run)
    come_to_rest(run)
    run.slack.declare_channel(run.team, run.channel, archived=False)
    run.tell_service("redrive", "r1")


def posted_again(run: Run) -> None:
    """Nobody can tell whether it was posted, and a person orders another post."""
    _unproven(run)
    run.tell_service("redrive", "r1", post_again=True)


def marked_sent(run: Run) -> None:
    """Nobody but a person can tell that it was posted."""
    _unproven(run)
    (post,) = run.posts_of("r1")
    run.tell_service("mark_sent", "r1", receipt={"channel": post.channel, "ts": post.ts})


def _unproven(run: Run) -> None:
    """Slack's history cannot be read until then."""
    ready(run)
    run.slack.declare_team(run.team, scopes=("chat:write",))
    run.slack_will(Reset(stored=True))
    run.request("r1")
    come_to_rest(run)
    run.slack.declare_team(run.team, scopes=DEFAULT_SCOPES)


def rebuilt(run: Run) -> None:
    """The views are made anew from the log."""
    run.start_and_wait("projector", "worker")
    run.request("r1")
    come_to_rest(run)
    run.watch.arm()
    run.tell_service("rebuild", "r1")


def stopped(run: Run) -> None:
    """All are told to stop, the worker with a message fetched and not begun; others go on."""
    run.start_and_wait("projector", "worker")
    with run.crew.slack_waiting():
        for name in ("r1", "r2", "r3"):
            run.request(name)
        run.wait_until_asked("worker", "chat.postMessage", times=2)
        run.wait_until(lambda: run.queued() == 0, "the third message is fetched")
        run.watch.arm()
        run.crew.tell_to_stop("worker")
    run.crew.stop("worker")
    run.crew.stop("projector")
    run.crew.start("projector", "worker")
