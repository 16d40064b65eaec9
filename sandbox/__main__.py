"""`python -m sandbox`: the Slack stand-in as a program, with a page to look at.

The server ends cleanly on Ctrl-C and SIGTERM; nothing of it outlives the process.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Annotated

import typer

from sandbox.slack.conditions import Conditions
from sandbox.slack.errors import SlackDidNotStart
from sandbox.slack.server import SlackServer

_EXAMPLE = """
Example: python -m sandbox --port 8080 --slow-ms 80

then, elsewhere: POSTONCE_SLACK_URL=http://127.0.0.1:8080/api/ SLACK_BOT_TOKEN=xoxb-T0SANDBOX
postonce up, and open http://127.0.0.1:8080/ to see what arrives.
"""


def main(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8080,
    host: Annotated[
        str, typer.Option(help="Address to listen on; whoever reaches it needs no password.")
    ] = "127.0.0.1",
    slow_ms: Annotated[
        int, typer.Option(min=0, max=600_000, help="Each answer takes this much longer.")
    ] = 0,
    history_lag_ms: Annotated[
        int, typer.Option(min=0, max=600_000, help="Messages are read this much later.")
    ] = 0,
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Know only declared channels and tokens.")
    ] = False,
) -> None:
    """Stand in for Slack: post to it, look at it, make it fail."""
    conditions = Conditions(strict=strict, slow_ms=slow_ms, history_lag_ms=history_lag_ms)
    try:
        asyncio.run(_serve(SlackServer(port=port, host=host, conditions=conditions)))
    except SlackDidNotStart as error:
        typer.echo(error, err=True)
        sys.exit(1)


async def _serve(server: SlackServer) -> None:
    stopping = asyncio.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(ending, stopping.set)
    async with server:
        typer.echo(f"Slack's API  {server.root}/api/\nthe page     {server.root}/")
        await stopping.wait()


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command(epilog=_EXAMPLE)(main)
    app()
