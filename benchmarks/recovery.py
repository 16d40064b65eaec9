"""`python -m benchmarks.recovery`: how long a SIGKILL or a lost queue delays what it struck.

With default settings, so the waits are those of the timing contract; each is counted until the
store has the outcome, on its own clock.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.recovery_stage import Stage
from middleware.timing import SECOND_MS
from projector.status import OPEN_STATES
from sandbox.slack.faults import Silence
from sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from middleware.keys import Delivery
    from sandbox.process_group import ProcessGroup

# Beyond the wait of the timing contract: a sweeper looks, a worker fetches, and Slack answers.
ALLOWED_MS = 5 * SECOND_MS
# One sweeper dispatches a lost queue again, one message after the other.
SWEPT_PER_S = 100
# What does not come is waited for so long beyond its limit.
_GIVE_UP_MS = 60 * SECOND_MS
_ASK_AGAIN_S = 0.25
_SOON_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """From the blow until each was recorded as sent, in ms; `limit_ms` is for the last of them."""

    what: str
    taken_ms: tuple[int, ...]
    unsent: int
    limit_ms: int

    @property
    def holds(self) -> bool:
        return not self.unsent and max(self.taken_ms) <= self.limit_ms


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was sent once and within its limit, else 1."""
    options = _options(arguments)
    console = Console()
    console.print(f"{options.count} of each kind, all struck at once; then {options.queued} queued")
    with Stage() as stage:
        survivor = stage.worker("survivor")
        recoveries = [
            *kill_workers(stage, survivor, options.count),
            lose_queue(stage, survivor, options.queued),
        ]
        doubled = stage.slack.counters["duplicates"]
    return _report(console, recoveries, doubled)


def kill_workers(stage: Stage, survivor: ProcessGroup, count: int) -> list[Recovery]:
    """One dies that holds claims and fetched messages, and one in the middle of its POSTs.

    The survivor has nothing of its own and stands still until then, so that nothing goes to it.
    """
    stuck = stage.worker("stuck", app="benchmarks.stuck_app", threads=count)
    posting = stage.worker("posting", threads=count)
    survivor.pause()
    posting.pause()
    held = stage.ask(2 * count)
    _wait(lambda: len(stage.in_state(held, "claimed")) == count, f"{count} are claimed")
    _wait(lambda: stage.fetched() == 2 * count, f"{2 * count} messages are fetched")
    posting.resume()
    # Some of them Slack stores, which only a look in the channel will tell.
    stage.slack.fault(Silence(stored=True, times=count // 2), Silence(stored=False, times=None))
    on_their_way = stage.ask(count)
    _wait(lambda: len(stage.slack.attempts) == count, f"{count} POSTs are on their way")
    claimed = list(stage.in_state(held, "claimed"))
    fetched = [each for each in held if each not in claimed]
    struck_ms = stage.now_ms()
    stuck.kill()
    posting.kill()
    stage.slack.clear_faults()
    survivor.resume()

    timing = stage.ledger.timing
    unsure_ms = timing.post_deadline_ms + timing.settle_delay_ms
    waits_ms = {
        "claimed, nothing intended": (claimed, timing.lease_ms),
        "fetched, not claimed": (fetched, timing.dispatch_window_ms),
        "in the middle of a POST": (on_their_way, unsure_ms),
    }
    return [
        _recovery(stage, what, struck, since_ms=struck_ms, limit_ms=wait_ms + ALLOWED_MS)
        for what, (struck, wait_ms) in waits_ms.items()
    ]


def lose_queue(stage: Stage, survivor: ProcessGroup, count: int) -> Recovery:
    """Its keys are deleted while every message stands on it."""
    survivor.pause()
    waiting = stage.ask(count)
    # The broker may have brought back what the dead had fetched.
    _wait(lambda: stage.standing() >= count, f"{count} messages stand on the queue")
    struck_ms = stage.now_ms()
    stage.lose_queue()
    survivor.resume()
    sweeping_ms = count * SECOND_MS // SWEPT_PER_S
    limit_ms = stage.ledger.timing.dispatch_window_ms + ALLOWED_MS + sweeping_ms
    return _recovery(stage, "queue lost", waiting, since_ms=struck_ms, limit_ms=limit_ms)


def _recovery(
    stage: Stage, what: str, struck: Sequence[Delivery], *, since_ms: int, limit_ms: int
) -> Recovery:
    while stage.in_state(struck, *OPEN_STATES):
        if stage.now_ms() > since_ms + limit_ms + _GIVE_UP_MS:
            break
        time.sleep(_ASK_AGAIN_S)
    settled = (each.settled_at_ms for each in stage.in_state(struck, "sent").values())
    taken_ms = tuple(at_ms - since_ms for at_ms in settled if at_ms is not None)
    return Recovery(
        what=what, taken_ms=taken_ms, unsent=len(struck) - len(taken_ms), limit_ms=limit_ms
    )


def _wait(condition: Callable[[], bool], description: str) -> None:
    wait_until(condition, description=description, timeout_s=_SOON_S)


def _report(console: Console, recoveries: Sequence[Recovery], doubled: int) -> int:
    table = Table("struck", "number", "median s", "worst s", "limit s", "unsent", "limit")
    for each in recoveries:
        taken_s = [taken_ms / SECOND_MS for taken_ms in each.taken_ms]
        middle, worst = (f"{median(taken_s):.1f}", f"{max(taken_s):.1f}") if taken_s else ("", "")
        table.add_row(
            each.what,
            str(len(taken_s) + each.unsent),
            middle,
            worst,
            f"{each.limit_ms / SECOND_MS:.0f}",
            str(each.unsent),
            "holds" if each.holds else "BROKEN",
        )
    console.print(table)
    console.print(f"{doubled} posted twice: {'BROKEN' if doubled else 'holds'}")
    return 0 if not doubled and all(each.holds for each in recoveries) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recovery",
        description="Kill workers and lose the queue, and measure until all is sent. "
        "It takes about three minutes, for it waits as long as the defaults do.",
        epilog="example: python -m benchmarks.recovery --count 20 --queued 500",
    )
    parser.add_argument("--count", type=int, default=20, help="deliveries of each kind")
    parser.add_argument("--queued", type=int, default=500, help="messages on the lost queue")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
