"""`postonce rebuild`: the views are made anew from the log, and shown partition by partition."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, assert_never

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from actors.commands.exit_codes import ExitCode
from actors.commands.opening import opened_ledger
from actors.commands.progress import progress_of
from actors.commands.screen import complain, say, say_json
from middleware.errors import LedgerUnavailable, StoreRefused
from projector.errors import RebuildSuperseded
from projector.rebuild import Folded, Rebuilt, rebuild
from projector.retention import other_retention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SAFE = "what is shown is whole, and running it again is safe"


def rebuild_all(*, as_json: bool) -> ExitCode:
    """Raise SettingsRefused, LedgerUnavailable or StoreRefused.

    It would drop from the lists what it takes for forgotten, while the projectors still keep it.
    """
    with opened_ledger() as ledger:
        other = other_retention(ledger)
        if other is not None:
            raise StoreRefused(f"nothing was rebuilt: {other}")
        return follow(rebuild(ledger), partitions=ledger.keys.partitions, as_json=as_json)


def follow(rebuilding: Iterator[Folded | Rebuilt], *, partitions: int, as_json: bool) -> ExitCode:
    """Tell how far it comes, and how it ends."""
    finished = 0
    with _progress(partitions) as advance:
        try:
            for each in rebuilding:
                match each:
                    case Folded():
                        advance(each)
                    case Rebuilt():
                        finished += 1
                        _tell(each, as_json=as_json)
                    case unreachable:
                        assert_never(unreachable)
        except RebuildSuperseded as superseded:
            complain(f"postonce: {superseded}")
            return ExitCode.REFUSED
        except (LedgerUnavailable, BrokenPipeError, KeyboardInterrupt, SystemExit):
            complain(f"postonce: stopped after {finished} of {partitions} partitions; {_SAFE}")
            raise
    return ExitCode.DONE


def _tell(done: Rebuilt, *, as_json: bool) -> None:
    if as_json:
        say_json(asdict(done))
        return
    extra = []
    if done.bodies_restored:
        extra.append(f"{done.bodies_restored} lost texts restored")
    if done.quarantined:
        extra.append(f"{done.quarantined} events in quarantine")
    say(", ".join((f"partition {done.partition}: rebuilt from {done.events} events", *extra)))


@contextmanager
def _progress(partitions: int) -> Iterator[Callable[[Folded], None]]:
    """Nothing at all unless stderr is a terminal; a bar for each partition, by events."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with progress_of(*columns) as progress:
        task = progress.add_task("", total=None)
        shown = -1

        def advance(folded: Folded) -> None:
            nonlocal shown
            if folded.partition != shown:
                shown = folded.partition
                name = f"partition {shown + 1} of {partitions}"
                progress.reset(task, total=folded.expected, description=name)
            progress.advance(task, folded.events)

        yield advance
