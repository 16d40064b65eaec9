"""`python -m tests.system.pausing`: what becomes of one POST whose worker stands still (SIGSTOP).

In three places: in the middle of the POST, its answer held back; before the last look at the
clock; and between that look and the first byte, which is the hole. There a pause that outlasts
deadline and settle delay makes a second message, and an alert. Exit code 1 if another thing came
of any of them than docs/guarantees.md says.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from middleware.timing import SECOND_MS, Timing
from sandbox.slack.faults import Slow
from tests.system.processes import Installation
from tests.system.stopping_app import STOPPED, STOPS
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.process_group import ProcessGroup

# Within the deadline, and late enough that the worker is paused before.
_ANSWERED_AFTER_MS = 1_200
_THROUGH_WITHIN_S = 20.0
_CLAIMS = ("claimed", "looking")
_ALERTS = ("late_post", "duplicate_post")
# Messages, outcome, alerts, and what the paused worker says.
CameOfIt = tuple[int, str, tuple[str, ...], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`claims` says who took it, in order; `outcome_s` counts from the intent. The paused worker
    went on once there was an outcome, and `says` what became of it then.
    """

    paused: str
    paused_s: float
    posts: int
    claims: tuple[str, ...]
    outcome: str
    outcome_s: float
    alerts: tuple[str, ...]
    says: str

    @property
    def came_of_it(self) -> CameOfIt:
        return self.posts, self.outcome, self.alerts, self.says


def paused_in_the_middle(installation: Installation) -> Figures:
    """The message is in Slack, and its answer comes while the worker stands still."""
    installation.slack.fault(Slow(delay_ms=_ANSWERED_AFTER_MS))
    worker = installation.ready_worker()
    installation.ask("middle")
    wait_until(
        lambda: installation.attempts_of("middle"),
        description="its POST reaches Slack",
        timeout_s=_THROUGH_WITHIN_S,
    )
    worker.pause()
    return _figures(installation, worker, "middle", "in the middle of its POST")


def paused_before_the_last_look(installation: Installation) -> Figures:
    worker = _stopped_at("connect", "before", installation)
    return _figures(installation, worker, "before", "between intent and last look")


def paused_after_the_last_look(installation: Installation) -> Figures:
    """The hole."""
    worker = _stopped_at("write", "after", installation)
    return _figures(installation, worker, "after", "between last look and first byte")


# By docs/guarantees.md.
PROMISED: Mapping[Callable[[Installation], Figures], CameOfIt] = {
    paused_in_the_middle: (1, "sent", (), "sent.late"),
    paused_before_the_last_look: (1, "sent", (), "waits"),
    paused_after_the_last_look: (2, "sent", ("duplicate_post",), "duplicate_post"),
}


def shortest_hole_s(timing: Timing) -> tuple[float, float]:
    """How long a pause in the hole must last to make a second message, in seconds: if it begins
    as late as it can, and if it begins directly after the intent.

    Absence is concluded from a read begun after intent, deadline and settle delay.
    """
    settle_s = timing.settle_delay_ms / SECOND_MS
    return settle_s, settle_s + timing.post_deadline_ms / SECOND_MS


def judge(figures: Figures, promised: CameOfIt) -> int:
    """The exit code."""
    if figures.came_of_it == promised:
        return 0
    print(f"  BROKEN      promised is {promised}")  # noqa: T201 - figures for a person
    return 1


def _stopped_at(place: str, name: str, installation: Installation) -> ProcessGroup:
    worker = installation.ready_worker(app="tests.system.stopping_app", **{STOPS: place})
    installation.ask(name)
    worker.wait_for(STOPPED)
    return worker


def _figures(installation: Installation, paused: ProcessGroup, name: str, where: str) -> Figures:
    since_s = time.monotonic()
    installation.ready_worker()
    installation.wait_until_settled(name)
    paused_s = time.monotonic() - since_s
    log_before = paused.log
    paused.resume()
    wait_until(
        lambda: "delivery." in paused.log.removeprefix(log_before),
        description="the paused worker is through with it",
        timeout_s=_THROUGH_WITHIN_S,
    )
    evidence = installation.evidence_of(name)
    first_ms = {each.what: each.at_ms for each in reversed(evidence)}
    takers = [each for each in evidence if each.what in _CLAIMS]
    whose = {takers[0].details["by"]: "the paused worker"}
    outcome = installation.statuses(name)[name].status
    return Figures(
        paused=where,
        paused_s=round(paused_s, 2),
        posts=len(installation.posts_of(name)),
        claims=tuple(
            f"{each.what} by {whose.get(each.details['by'], 'another')}" for each in takers
        ),
        outcome=outcome,
        outcome_s=(first_ms[outcome] - first_ms["sending"]) / SECOND_MS,
        alerts=tuple(each.what for each in evidence if each.what in _ALERTS),
        says=_first_said(paused.log.removeprefix(log_before)),
    )


def _first_said(log: str) -> str:
    """`sent`, `waits`, `uncertain` and so on."""
    return log.partition("delivery.")[2].split()[0]


def _show(figures: Figures) -> None:
    print(f"\npaused {figures.paused}")  # noqa: T201 - figures for a person
    for each in fields(figures)[1:]:
        print(f"  {each.name:<12}{getattr(figures, each.name)}")  # noqa: T201 - as above


def main() -> int:
    exit_code = 0
    with (
        tempfile.TemporaryDirectory() as directory,
        Installation(Path(directory)) as installation,
    ):
        installation.start_store()
        installation.projector()
        for pause, promised in PROMISED.items():
            figures = pause(installation)
            _show(figures)
            exit_code |= judge(figures, promised)
            installation.kill_workers()
        contract = installation.ledger.timing
    for name, timing in (("these", contract), ("the default", Timing())):
        least_s, usual_s = shortest_hole_s(timing)
        print(  # noqa: T201 - as above
            f"\nWith {name} times a pause in the hole makes a second message only if it lasts for "
            f"more than {usual_s:g} s\n({least_s:g} s if it begins just before post_by)."
        )
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
