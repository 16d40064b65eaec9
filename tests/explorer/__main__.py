"""`python -m tests.explorer`: search for a breach of the promises; exit 1 if there is one.

With --without, for the breach that follows where a rule is missing; exit 1 if there is none.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console

from tests.explorer.campaigns import (
    CAMPAIGNS,
    MOST_STATES,
    SETTLE_DELAY_MS,
    Campaign,
    lateness_of,
    search_late_post,
)
from tests.explorer.reading import lines_of
from tests.explorer.rules import RULES
from tests.explorer.search import Model
from tests.explorer.walks import LENGTH, walk
from tests.explorer.without import search_without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.explorer.turn import Move

_EXAMPLE = """examples:
  python -m tests.explorer                       every campaign, and the pause (some minutes)
  python -m tests.explorer --states 10000000     each of them to its end, however long it takes
  python -m tests.explorer --without 5 --trace   take a rule away, and see what happens
  python -m tests.explorer --without all         each part of each rule (some minutes)
  python -m tests.explorer --walks 200 --seed 7  random ways instead, everything unlimited
"""
_CONSOLE = Console(soft_wrap=True, highlight=False, markup=False)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.explorer",
        description=__doc__,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    numbers = sorted({str(rule.number) for rule in RULES})
    parser.add_argument(
        "--states",
        type=int,
        default=MOST_STATES,
        metavar="N",
        help="how far each campaign is followed (default: %(default)s)",
    )
    parser.add_argument(
        "--without", choices=[*numbers, "all"], help="a rule taken away, one part after the other"
    )
    parser.add_argument("--trace", action="store_true", help="with --without: the shortest way")
    parser.add_argument("--walks", type=int, metavar="N", help="so many random ways")
    parser.add_argument("--seed", type=int, default=0, help="of the first of them (default: 0)")
    options = parser.parse_args()
    if options.without is not None:
        return _without(options.without, with_trace=options.trace)
    if options.walks is not None:
        return _walk(options.walks, options.seed)
    return max(_search(options.states), _pause())


def _search(most_states: int) -> int:
    exit_code = 0
    _say(f"{'':42}{'states':>9}{'moves':>11}{'scripts':>9}{'CPU s':>7}  searched")
    with ProcessPoolExecutor() as processes:
        results = processes.map(partial(Campaign.run, most_states=most_states), CAMPAIGNS)
        for campaign, result in zip(CAMPAIGNS, results, strict=True):
            searched = "all of it" if result.is_complete else "not all of it"
            if result.breach is not None:
                searched, exit_code = f"BREACH: {result.breach}", 1
            _say(
                f"{campaign.name:42}{result.states:9,}{result.transitions:11,}"
                f"{result.script_runs:9,}{result.seconds:7.0f}  {searched}, every way of up to "
                f"{result.depth} moves"
            )
            _show(result.trace, result.breach)
    return exit_code


def _pause() -> int:
    """A pause shorter than the settle delay does no harm, and that one does."""
    result = search_late_post(most_late_ms=SETTLE_DELAY_MS)
    if result.breach is None or lateness_of(result) != SETTLE_DELAY_MS:
        _say(f"THE PAUSE: {result.breach}, where the settle delay was expected to be the limit")
        return 1
    _say(
        f"\nThe shortest pause that harms: a POST made {SETTLE_DELAY_MS} ms after its post_by, "
        f"which is the settle delay ({result.breach}, {result.states:,} states):"
    )
    _show(result.trace, result.breach)
    return 0


def _without(wanted: str, *, with_trace: bool) -> int:
    exit_code = 0
    _say(f"rule {'taken away':64}{'states':>8}{'CPU s':>9}{'moves':>7}  breach")
    for rule in RULES:
        if wanted not in {"all", str(rule.number)}:
            continue
        result = search_without(rule)
        breach = result.breach or "NONE FOUND"
        if rule.breach is None and result.is_complete:
            breach = f"none in all of it: {rule.kept_by}"
        elif result.breach != rule.breach:
            exit_code = 1
        _say(
            f"{rule.name:>4} {rule.taken_away:64}{result.states:8,}{result.seconds:9.1f}"
            f"{len(result.trace):7}  {breach}"
        )
        if with_trace:
            _show(result.trace, result.breach)
    return exit_code


def _walk(walks: int, seed: int) -> int:
    began_s = time.monotonic()
    for number in range(seed, seed + walks):
        # What one remembers of the ledger is of little use to the next.
        walked = walk(Model(), number)
        if walked.breach is not None:
            _say(f"seed {number}: BREACH: {walked.breach}")
            _show(walked.moves, walked.breach)
            return 1
    seconds = time.monotonic() - began_s
    _say(f"{walks} walks of {LENGTH} moves from seed {seed}: no breach, {seconds:.1f} s")
    return 0


def _show(trace: Sequence[Move], breach: str | None) -> None:
    for line in lines_of(trace, breach):
        _say(line)


def _say(line: str) -> None:
    _CONSOLE.print(line)


if __name__ == "__main__":
    sys.exit(main())
