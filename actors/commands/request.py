"""`postonce request`: each line gets an answer; a bad one is told with its number, the rest go on.

Whatever stops it in the middle, running it again is safe: what was accepted is a duplicate then.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections import Counter
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, assert_never

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from actors.commands.exit_codes import ExitCode
from actors.commands.opening import opened_ledger
from actors.commands.progress import progress_of
from actors.commands.request_lines import answered, read_lines
from actors.commands.screen import complain, say, say_json
from actors.commands.store_troubles import trouble_of
from projector.errors import RequestsInterrupted
from projector.requests import Accepted, Conflict, Duplicate, RefusedInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projector.requests import RequestAnswer

_ANSWERS = ("accepted", "duplicates", "conflicts", "refused")
_BAD = ("conflicts", "refused")
_VARIABLE = "POSTONCE_REDIS_URL"
_AGAIN = "running it again is safe"


def request_from(file: str, *, as_json: bool) -> ExitCode:
    """`-` is stdin."""
    try:
        opened = _open(file)
    except OSError as error:
        complain(f"postonce request: {file}: {error.strerror}")
        return ExitCode.USAGE
    with opened as stream, opened_ledger() as ledger, _progress(stream) as progress:
        counts: Counter[str] = Counter()
        reached = 0
        try:
            for number, answer in answered(read_lines(stream), ledger):
                reached = number
                counts[_tell(number, answer)] += 1
                progress.show(counts)
        except RequestsInterrupted as interrupted:
            progress.stop()
            trouble = trouble_of(interrupted.__cause__ or interrupted, variable=_VARIABLE)
            complain(
                f"postonce: the store {trouble.found}; {trouble.remedy}; "
                f"reached line {reached}, {_AGAIN}"
            )
            _total(counts, as_json=as_json)
            return ExitCode.UNREACHABLE
        except (KeyboardInterrupt, SystemExit):
            progress.stop()
            complain(f"postonce: stopped after line {reached}; {_AGAIN}")
            raise
        progress.stop()
        _total(counts, as_json=as_json)
    return ExitCode.REFUSED if any(counts[name] for name in _BAD) else ExitCode.DONE


def _tell(number: int, answer: RequestAnswer) -> str:
    """What the answer counts as; what is wrong with the line is said at once."""
    match answer:
        case Accepted():
            return "accepted"
        case Duplicate():
            return "duplicates"
        case Conflict(state=state):
            complain(
                f"line {number}: message_request_id: another request has this id and is {state}; "
                "nothing was changed"
            )
            return "conflicts"
        case RefusedInput(problems=problems):
            for problem in problems:
                complain(f"line {number}: {problem}")
            return "refused"
        case unreachable:
            assert_never(unreachable)


def _total(counts: Counter[str], *, as_json: bool) -> None:
    if as_json:
        say_json({name: counts[name] for name in _ANSWERS})
    else:
        say(_spoken(counts))


def _spoken(counts: Counter[str]) -> str:
    return ", ".join(
        f"{counts[name]} {name.removesuffix('s') if counts[name] == 1 else name}"
        for name in _ANSWERS
    )


def _open(file: str) -> AbstractContextManager[BinaryIO]:
    if file != "-":
        return Path(file).open("rb")
    # Python has no stdin when it was closed from outside.
    if sys.stdin is None:
        raise OSError(errno.EBADF, "stdin is closed")
    return nullcontext(sys.stdin.buffer)


class _Bar:
    """Nothing at all unless stderr is a terminal; a bar by bytes where the size is known."""

    def __init__(self, progress: Progress, stream: BinaryIO) -> None:
        self._progress = progress
        self._stream = stream
        self._is_sized = _size(stream) is not None
        self._task = progress.add_task("", total=_size(stream), counts="")

    def show(self, counts: Counter[str]) -> None:
        if not self._progress.disable:
            completed = self._stream.tell() if self._is_sized else None
            self._progress.update(self._task, completed=completed, counts=_spoken(counts))

    def stop(self) -> None:
        self._progress.stop()


@contextmanager
def _progress(stream: BinaryIO) -> Iterator[_Bar]:
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[counts]}", markup=False),
        TimeElapsedColumn(),
    )
    # Transient: what remains on the screen is the total, and the lines that were bad.
    with progress_of(*columns) as progress:
        yield _Bar(progress, stream)


def _size(stream: BinaryIO) -> int | None:
    """None for a pipe or a terminal."""
    about = os.fstat(stream.fileno())
    return about.st_size if stat.S_ISREG(about.st_mode) else None
