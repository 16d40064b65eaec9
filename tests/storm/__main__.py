"""`make storm`: everything that can go wrong at once, for a while; then the count.

Exit code 0 if nothing was lost and nothing was posted twice, all came to rest, and it did storm.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from middleware.errors import LedgerUnavailable
from sandbox.demo.interruptions import Interrupted, Interruptions
from sandbox.errors import SandboxError
from tests.storm.evidence import evidence
from tests.storm.forecast import Storm
from tests.storm.passing import Passed, pass_over
from tests.storm.site import Site

_ABOUT = """
Starts Valkey (every write kept), a stand-in for Slack that lies, services that ask several times
for each message, some of them replies in threads, and two machines with a projector and a worker
each, started again when they die.
For a while it kills (SIGKILL) and pauses (SIGSTOP, SIGCONT) workers, projectors and Valkey, and
steals messages from the queue, some or all; then it lets everything come to rest, and counts.

The seed decides what is requested when, who is struck when, and which fault a struck call meets.
It does not decide which request that is: real processes race.

doubled: messages in Slack beyond the first of each request, by its marker or by the `ref` in its
text. lost: requests of which Slack holds no message and that are not reported either. unproven:
whether they were posted cannot be told; 0 unless Slack's history cannot be read.
unanswered: what services were to ask, and were not answered.
contradicted, unasked: the record says other than Slack, or than what was asked for.
untold, unheard, unfolded, unlisted: the log tells followers, a follower has heard, the timeline
holds or the list shows other than the record.
late_post, duplicate_post: alerts of a post that should not have been.

BROKEN is also a storm that was none: fewer blows than asked for, no fault, no message stolen,
hardly a POST, or services that died.

Pauses stay below the settle delay: for longer ones, between a worker's last check and its write to
the socket, nothing is promised but to notice (see README).
"""
_EXAMPLE = """
Example: python -m tests.storm --seconds 300 --kills 40 --faults 0.3 --seed 7

or make storm SECONDS=300 KILLS=40 FAULTS=0.3 SEED=7 UNREADABLE=1. KEEP=1 keeps the directory with
the logs, the calls and the store's data; a violation keeps it in any case, and says what a person
needs to find its cause.
"""
_FAILED = 1


def main(
    seconds: Annotated[float, typer.Option(min=1, help="How long requests and trouble last.")] = 60,
    kills: Annotated[int, typer.Option(min=0, help="SIGKILLs; half as many pauses besides.")] = 10,
    faults: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of POSTs that Slack answers badly.")
    ] = 0.3,
    history_faults: Annotated[
        float | None, typer.Option(min=0, max=0.9, help="The same of reads; else half of FAULTS.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Requests a second.")] = 15,
    seed: Annotated[
        int | None, typer.Option(help="Repeats a storm; else a new one each time.")
    ] = None,
    *,
    unreadable: Annotated[
        bool, typer.Option("--unreadable", help="Slack's history cannot be read.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the directory; so does KEEP=1.")
    ] = False,
) -> None:
    storm = Storm(
        seconds=seconds,
        kills=kills,
        faults=faults,
        history_faults=faults / 2 if history_faults is None else history_faults,
        seed=secrets.randbelow(10_000) if seed is None else seed,
        rate=rate,
        readable=not unreadable,
    )
    kept = keep or os.environ.get("KEEP", "") not in {"", "0"}
    sys.exit(_weathered(storm, keep=kept))


main.__doc__ = _ABOUT


def _weathered(storm: Storm, *, keep: bool) -> int:
    """The exit code."""
    directory = Path(tempfile.mkdtemp(prefix="postonce-storm-"))
    site = Site(directory)
    exit_code = _FAILED
    try:
        with Interruptions() as interruptions, site.running(interruptions):
            _say(f"{storm}")
            passed = pass_over(site, storm, _progress)
            _show(passed)
            for line in evidence(passed.verdict, passed.observed, passed.striking.struck, site):
                _say(line)
            exit_code = 0 if passed.verdict.holds else _FAILED
    except Interrupted as interrupted:
        exit_code = 128 + interrupted.number
        _say(f"Interrupted ({interrupted}).")
    except (SandboxError, LedgerUnavailable, TimeoutError) as error:
        _say(f"The storm could not be judged: {error}")
    if keep or exit_code == _FAILED:
        _say(f"Logs, calls and data are in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return exit_code


def _show(passed: Passed) -> None:
    _say("")
    for name, number, must_be in passed.verdict.rows():
        remark = "" if must_be in (None, number) else f"   must be {must_be}"
        _say(f"{name:<16}{number:>8}{remark}")
    trouble = passed.observed.trouble
    for name, counts in (
        ("blows", trouble.blows),
        ("POSTs struck", trouble.post_faults),
        ("reads struck", trouble.read_faults),
        ("calls of Slack", passed.calls),
    ):
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        _say(f"{name:<16}{sum(counts.values()):>8}   {kinds}")
    _say(
        f"{'seconds':<16}{passed.seconds:>8.1f}   {passed.rest_s:.1f} of them until all was at rest"
    )
    verdict = "HOLDS" if passed.verdict.holds else "BROKEN"
    _say(f"{'verdict':<16}{verdict:>8}")
    for objection in passed.verdict.objections:
        _say(f"  {objection}")
    _say("")


def _progress(line: str) -> None:
    if sys.stdout.isatty():
        _say(line)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a person waits for it


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(epilog=_EXAMPLE)(main)
    app()
