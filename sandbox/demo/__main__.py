"""`make demo`: every promise at once, on this machine, with nothing installed but Python.

Whatever happens, nothing that it started outlives it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from middleware.errors import LedgerUnavailable
from sandbox.demo.examples import example_tenants, teams_of
from sandbox.demo.interruptions import Interrupted, Interruptions
from sandbox.demo.performance import Performance, perform
from sandbox.demo.screen import Screen
from sandbox.demo.stage import Stage
from sandbox.errors import SandboxError

_ABOUT = """
Starts Valkey, a stand-in for Slack, a projector and two workers, asks for the 183 messages of
examples/requests.jsonl twice over in random order, kills a worker with SIGKILL while it is
sending, and counts in Slack what came of it.

doubled: messages in Slack beyond the first of each request, by its marker or by the `ref` in its
text. lost: requests of which Slack holds no message and that are not reported either, as rejected,
open or unproven. unproven: requests whose POST could be proven neither present nor absent; those
that were on their way when the worker died are looked for in Slack's history, and posted again only
if they are not there.

Exit code 0 when doubled, lost, rejected, open and unproven are 0 and every request is sent; 1
otherwise; 128 and the signal's number when it was interrupted.
"""
_EXAMPLE = """
Example: make demo

make demo KEEP=1 leaves it running: look at the page whose address it prints, and use the printed
variables to try `postonce explain`, `postonce stats` and the rest by hand.
"""
_FAILED = 1
_LOOK_EVERY_S = 1.0


def main(
    seed: Annotated[
        int | None, typer.Option(help="Repeats an order of requests; else a new one each time.")
    ] = None,
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it running until Ctrl-C; so does KEEP=1.")
    ] = False,
) -> None:
    kept = keep or os.environ.get("KEEP", "") not in {"", "0"}
    sys.exit(demonstrate(seed=secrets.randbelow(10_000) if seed is None else seed, keep=kept))


main.__doc__ = _ABOUT


def demonstrate(*, seed: int, keep: bool) -> int:
    """The exit code; the logs stay only if something went wrong."""
    screen = Screen()
    directory = Path(tempfile.mkdtemp(prefix="postonce-demo-"))
    exit_code = _FAILED
    try:
        with Interruptions() as interruptions:
            stage = Stage(directory, teams=teams_of(example_tenants()))
            exit_code = _on_stage(stage, interruptions, screen, seed=seed, keep=keep)
    except Interrupted as interrupted:
        exit_code = 128 + interrupted.number
        screen.say(f"Interrupted ({interrupted}).")
    except (SandboxError, LedgerUnavailable, TimeoutError) as error:
        screen.say(f"The demo failed: {error}")
    if exit_code == _FAILED:
        screen.say(f"The logs are in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return exit_code


def _on_stage(
    stage: Stage, interruptions: Interruptions, screen: Screen, *, seed: int, keep: bool
) -> int:
    screen.say("Starting Valkey, a stand-in for Slack, a projector and two workers.")
    with stage.running(interruptions):
        performance = perform(stage, screen, seed=seed)
        screen.show(performance.verdict)
        exit_code = 0 if performance.verdict.holds else _FAILED
        if keep:
            _leave_running(stage, performance, screen)
        else:
            screen.say("`make demo KEEP=1` leaves it running, to look at and to try by hand.")
    return exit_code


def _leave_running(stage: Stage, performance: Performance, screen: Screen) -> None:
    victim = min(performance.kill.in_flight, key=str)
    screen.say(f"It goes on running until Ctrl-C. The page: {stage.page_url}")
    screen.say(f"To try the command line by hand, in another shell:\n\n{stage.exports}\n")
    screen.say(f"Why a request that was on its way at the kill ended as it did:\n\n{_hint(victim)}")
    try:
        while True:
            stage.check()
            time.sleep(_LOOK_EVERY_S)
    except Interrupted:
        screen.say("Stopping.")


def _hint(victim: object) -> str:
    tenant, _, message_request_id = str(victim).partition("/")
    return f"{Path(sys.executable).with_name('postonce')} explain {tenant} {message_request_id}\n"


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(epilog=_EXAMPLE)(main)
    app()
