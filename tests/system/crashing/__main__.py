"""`python -m tests.system.crashing` tries every crash point that it finds, or those named."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.system.crashing.campaign import AT_ONCE, points_of, record_all, try_all, vanished
from tests.system.crashing.report import table
from tests.system.crashing.scenarios import SCENARIOS
from tests.system.crashing.stage import Stage


def main() -> int:
    """1 when something does not hold, was not reached or has vanished; 2: a name names nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.crashing", description=__doc__)
    parser.add_argument("--point", action="append", default=[], metavar="NAME", help="only this")
    parser.add_argument("--scenario", action="append", default=[], metavar="NAME", help="only its")
    parser.add_argument("--list", action="store_true", help="name them, and try none")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="default: %(default)s")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="crashing-"))
    named = {name.partition(":")[0] for name in options.point} | set(options.scenario)
    with Stage(directory) as stage:
        wanted = [each for each in SCENARIOS if not named or each.name in named]
        began_s = time.monotonic()
        points = points_of(record_all(stage, wanted))
        _say(f"{len(points)} points found in {time.monotonic() - began_s:.0f} s")
        points = [each for each in points if not options.point or str(each) in options.point]
        if options.list:
            _say(*points)
            return 0
        verdicts = try_all(stage, points, at_once=options.at_once)
        failed = [*(each for each in verdicts if not each.holds), *vanished(points, verdicts)]
        _say(*failed, *table(verdicts))
        _say(f"{len(points) - len(verdicts)} points were there only by chance")
        _say(f"{time.monotonic() - began_s:.0f} s, logs in {directory}")
    if failed:
        return 1
    return 0 if verdicts else 2


def _say(*lines: object) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201 - a program's own words


if __name__ == "__main__":
    sys.exit(main())
