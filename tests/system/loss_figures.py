"""What became of each request when the store lost writes, counted in Slack and in the ledger."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from projector.status import OPEN_STATES
from tests.system.asking_service import AskingService
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.system.losing_writes import Scene
    from tests.system.processes import Installation

_REST_S = 120.0
# So that some are on their way at any moment.
_SLOW_MS = 100
# Longer than a POST may take: who still posts has done so by then.
_QUIET_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`epochs` were begun by it, in all partitions. `forgotten`: accepted, and taken as new when
    asked for again. `lost`: neither in Slack nor recorded as ended without a message. `doubled`:
    messages beyond the first of a request, and `doubled_forgotten` of one that was forgotten
    meanwhile, which no ledger can know.
    """

    asked: int
    epochs: int
    forgotten: int
    uncertain: int
    unproven: int
    open: int
    lost: int
    doubled: int
    doubled_forgotten: int


def observe(scene: Scene, *, attempts: int, backlog: bool = True) -> Figures:
    """Strike after so many POSTs, while more is asked for; twice as many wait, whose acceptance is
    kept, or (without a `backlog`) each is posted as soon as it is accepted.
    """
    installation = scene.installation
    installation.slack.change(slow_ms=_SLOW_MS)
    with AskingService(installation) as service:
        installation.ready_worker()
        service.ask_many(3 * attempts if backlog else 0)
        scene.keep()
        # Only now: workers that were ready before would have posted everything by then.
        installation.projector()
        service.start()
        installation.wait_for_attempts(attempts)
        scene.strike()
        service.stop()
        forgotten = set(service.ask_again())
    with suppress(TimeoutError):
        _wait_for_rest(installation, service.asked)
    return _count(installation, service.asked, forgotten)


def _wait_for_rest(installation: Installation, ids: list[str]) -> None:
    def is_settled() -> bool:
        statuses = installation.statuses(*ids).values()
        return not any(each.status in OPEN_STATES for each in statuses)

    wait_until(is_settled, description="everything has an outcome", timeout_s=_REST_S)
    seen, since_s = -1, 0.0

    def is_quiet() -> bool:
        nonlocal seen, since_s
        attempts = len(installation.slack.attempts)
        if attempts != seen:
            seen, since_s = attempts, time.monotonic()
        return time.monotonic() >= since_s + _QUIET_S

    wait_until(is_quiet, description="nobody posts any more", timeout_s=_REST_S)


def _count(installation: Installation, ids: list[str], forgotten: set[str]) -> Figures:
    states = {of: status.status for of, status in installation.statuses(*ids).items()}
    # By its text, since a request that was forgotten has another marker the second time.
    posts = Counter(post.text.removeprefix("Hello ") for post in installation.slack.posts)
    surplus = {each: count - 1 for each, count in posts.items() if count > 1}
    explained = {each for each, state in states.items() if state != "sent"}
    return Figures(
        asked=len(ids),
        epochs=_epochs_begun(installation),
        forgotten=len(forgotten),
        uncertain=sum(_was_uncertain(installation, each) for each in states),
        unproven=sum(state == "unproven" for state in states.values()),
        open=sum(state in OPEN_STATES for state in states.values()),
        lost=len(set(ids) - posts.keys() - explained),
        doubled=sum(surplus[each] for each in surplus.keys() - forgotten),
        doubled_forgotten=sum(surplus[each] for each in surplus.keys() & forgotten),
    )


def _was_uncertain(installation: Installation, message_request_id: str) -> bool:
    return any(each.what == "uncertain" for each in installation.evidence_of(message_request_id))


def _epochs_begun(installation: Installation) -> int:
    keys, client = installation.ledger.keys, installation.ledger.store.client
    numbers = [client.hget(keys.epoch(each), "number") for each in range(keys.partitions)]
    return sum(int(cast("str", number)) - 1 for number in numbers)
