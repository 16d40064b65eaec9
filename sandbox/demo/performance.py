"""The demo itself: ask twice for everything, kill a worker in the act, wait, count."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from middleware.keys import Delivery
from projector.configure import configure
from projector.requests import request_many
from projector.status import OPEN_STATES, read_statuses
from sandbox.demo.errors import NothingIsPosted, NotStartedAgain
from sandbox.demo.examples import example_requests, example_tenants
from sandbox.demo.followed import follow
from sandbox.demo.kill import Kill, kill_a_sender
from sandbox.demo.stage import WORKERS
from sandbox.demo.verdict import Verdict, judge
from sandbox.waiting import wait_until
from sandbox.why_open import why_open

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.demo.followed import Followed
    from sandbox.demo.screen import Screen
    from sandbox.demo.stage import Stage

# Enough is settled then to see that it works, and enough is left that much is on its way.
_KILL_AFTER = 0.25
# Workers boot within seconds; on a machine where they don't, the demo would take minutes.
_FIRST_POSTS_S = 45.0
# Lease, settle delay, a look and a window, several times over.
_SETTLE_S = 45.0
_RESTART_S = 20.0


@dataclass(frozen=True, slots=True)
class Performance:
    verdict: Verdict
    kill: Kill


def perform(stage: Stage, screen: Screen, *, seed: int) -> Performance:
    """Raises SandboxError where there is nothing to judge, and LedgerUnavailable."""
    begun_s = time.monotonic()
    ledger = stage.ledger
    requests = example_requests()
    deliveries = [Delivery(asked.tenant, asked.message_request_id) for asked in requests]
    tenants = configure(ledger, example_tenants())
    screen.say(f"{len(tenants)} tenants are configured from examples/tenants.yaml.")
    twice = requests * 2
    random.Random(seed).shuffle(twice)  # noqa: S311 - an order to repeat, not a secret
    answers = Counter(type(answer).__name__ for answer in request_many(twice, ledger=ledger))
    screen.say(f"{len(requests)} requests are made, each twice, in random order (seed {seed}).")

    with screen.progress(total=len(requests)) as show:

        def settled() -> int:
            stage.check()
            states = _states(stage, deliveries)
            count = sum(1 for state in states if state not in OPEN_STATES)
            show(count)
            return count

        try:
            wait_until(
                lambda: settled() >= len(requests) * _KILL_AFTER,
                description="the first messages are posted",
                timeout_s=_FIRST_POSTS_S,
            )
        except TimeoutError as error:
            raise NothingIsPosted(f"{error}; {_an_open_one(stage, deliveries)}") from error
        kill = kill_a_sender(ledger, deliveries, within_s=_FIRST_POSTS_S)
        screen.say(
            f"Worker process {kill.pid} is killed (SIGKILL) while it is sending; "
            f"on their way to Slack: {len(kill.in_flight)}."
        )
        _wait_for_another(stage)
        screen.say("Its supervisor has started another one.")
        try:
            wait_until(
                lambda: settled() == len(requests),
                description="everything is settled",
                timeout_s=_SETTLE_S,
            )
        except TimeoutError:
            screen.say(f"Not everything is settled: {_an_open_one(stage, deliveries)}")
    followed = list(follow(ledger, deliveries))
    verdict = judge(
        answers=answers,
        followed=followed,
        posts=stage.posts(),
        seconds=time.monotonic() - begun_s,
    )
    screen.say(_what_was_found(kill, followed))
    return Performance(verdict, kill)


def _what_was_found(kill: Kill, followed: Sequence[Followed]) -> str:
    """Of those on their way at the kill, as their attempts tell."""
    statuses = [each.status for each in followed if each.delivery in kill.in_flight]
    sent = [status for status in statuses if status is not None and status.status == "sent"]
    again = sum(1 for status in sent if status.attempts > 1)
    return (
        f"Of those that were on their way, {len(sent) - again} were found in Slack's history, and "
        f"{again}, proven absent there, were posted again."
    )


def _wait_for_another(stage: Stage) -> None:
    try:
        wait_until(
            lambda: stage.starts() > WORKERS,
            description="another worker is started",
            timeout_s=_RESTART_S,
        )
    except TimeoutError as error:
        raise NotStartedAgain(str(error)) from error


def _states(stage: Stage, deliveries: Sequence[Delivery]) -> list[str]:
    statuses = read_statuses(stage.ledger, deliveries)
    return [status.status for status in statuses if status is not None]


def _an_open_one(stage: Stage, deliveries: Sequence[Delivery]) -> str:
    statuses = zip(deliveries, read_statuses(stage.ledger, deliveries), strict=True)
    open_ones = [each for each, status in statuses if status and status.status in OPEN_STATES]
    return why_open(stage.ledger, open_ones[0]) if open_ones else "no request is open"
