"""What a command does is not undone by a stdout that cannot be written: it goes on to its end.

A reader that is gone is something else: it has seen enough, as `head` has, and the command stops.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO


class Stdout:
    """Stdout as it is, but that a failed write is remembered and not raised.

    `failure` says why the first one failed; it is empty as long as none did. `unwritable` says why
    every one does.
    """

    def __init__(self, stream: TextIO, *, unwritable: str = "") -> None:
        self._stream = stream
        self._unwritable = unwritable
        self.failure = ""

    def write(self, text: str) -> int:
        self.failure = self.failure or self._unwritable
        with self._remembering():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._remembering():
            self._stream.flush()

    def drop(self) -> None:
        """Whatever it still holds, and whatever is written from now on, goes nowhere.

        Python would try again at its end, and complain.
        """
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the stream's
        return getattr(self._stream, name)

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        """Raise BrokenPipeError, and nothing else."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            self.failure = self.failure or error.strerror or type(error).__name__
            self.drop()


@contextmanager
def forgiving_stdout() -> Iterator[Stdout]:
    """In the place of `sys.stdout`, which Python does not have when it was closed from outside."""
    before: TextIO | None = sys.stdout
    # Open, it keeps its number from whatever is connected next.
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - no path
        stdout = Stdout(nowhere, unwritable="it is closed") if before is None else Stdout(before)
        sys.stdout = stdout
        try:
            yield stdout
        finally:
            try:
                stdout.flush()
            except BrokenPipeError:
                stdout.drop()
            sys.stdout = before
