"""`python -m sandbox.store`: a Valkey to try things with, set up as production should be."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from sandbox.errors import NoServerProgram
from sandbox.server_program import server_program

_EXAMPLE = """
Example: python -m sandbox.store --port 6379 --dir ./data

It runs until Ctrl-C or SIGTERM. Without --dir its data are in a new directory, which stays.
"""


def main(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 6379,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where its data are kept.", file_okay=False)
    ] = None,
) -> None:
    """Run the embedded server: loopback only, every write on disk before it is answered."""
    data = directory or Path(tempfile.mkdtemp(prefix="postonce-"))
    data.mkdir(parents=True, exist_ok=True)
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    try:
        program = server_program()
    except NoServerProgram as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from error
    typer.echo(f"POSTONCE_REDIS_URL=redis://127.0.0.1:{port}/0")
    # In place of this process, so that signals reach the server itself.
    os.execv(program, [str(program), *options])  # noqa: S606 - nothing here needs a shell


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command(epilog=_EXAMPLE)(main)
    app()
