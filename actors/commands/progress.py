"""Progress is shown on stderr, to a terminal only, and is gone when it is over."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.progress import Progress

from actors.commands.screen import screen

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


def progress_of(*columns: ProgressColumn) -> Progress:
    console = screen(stderr=True)
    return Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        # It would take what is piped to its own console; on a terminal it puts that above itself.
        redirect_stdout=sys.stdout.isatty(),
    )
