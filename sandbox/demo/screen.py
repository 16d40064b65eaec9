"""What a person sees: on a terminal a bar that moves, elsewhere one line for each thing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.demo.verdict import Verdict


class Screen:
    """Writes to stdout; what it is given is text, never markup."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(markup=False, emoji=False, highlight=False)

    def say(self, line: str) -> None:
        self._console.print(line, soft_wrap=True)

    @contextmanager
    def progress(self, *, total: int) -> Iterator[Callable[[int], None]]:
        """Call what is given with the number that is done."""
        columns = (
            TextColumn("settled"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        disable = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=disable) as bar:
            task = bar.add_task("settled", total=total)
            yield lambda done: bar.update(task, completed=done)

    def show(self, verdict: Verdict) -> None:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column()
        table.add_column(justify="right")
        table.add_column()
        for name, number, must_be in verdict.rows():
            holds = must_be in {None, number}
            remark = "" if holds else f"must be {must_be}"
            style = "bold red" if not holds else "bold" if must_be is not None else ""
            table.add_row(name, f"{number}", remark, style=style)
        self._console.print()
        self._console.print(table)
        self._console.print()
        for objection in verdict.objections:
            self.say(objection)
