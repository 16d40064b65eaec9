"""Results go to stdout, everything said about them to stderr; neither lets text steer a terminal.

Only a terminal gets colours and its own width; what is piped is one line for one thing.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import NoReturn

from rich.console import Console

# What is piped is cut by nobody, so that a line stays a line.
_PIPED_WIDTH = 1_000


class _Screen(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the caller: rich would end the process with a code that means refused."""
        raise BrokenPipeError


def screen(*, stderr: bool = False) -> Console:
    """A console that takes text as it is: brackets are no markup and `:+1:` is no emoji."""
    console = _Screen(stderr=stderr, markup=False, emoji=False, highlight=False)
    return console if console.is_terminal else _piped(console)


def say(*cells: str) -> None:
    """One line on stdout, its cells divided by tabs."""
    sys.stdout.write("\t".join(printable(cell) for cell in cells) + "\n")


def complain(line: str) -> None:
    """One line on stderr, above a progress bar if there is one; where none can be, nothing."""
    # Python has no stderr when it was closed from outside.
    if sys.stderr is not None:
        # No command stops half-way because its complaint has no reader: its exit code tells.
        with suppress(OSError):
            sys.stderr.write(f"{printable(line)}\n")
            sys.stderr.flush()


def say_json(value: object) -> None:
    """One line of JSON, in ASCII, so that no terminal and no locale can change it."""
    sys.stdout.write(f"{json.dumps(value)}\n")


def printable(text: str) -> str:
    """As it is, but for characters that would move a cursor or hide something."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _piped(console: Console) -> Console:
    console.width = _PIPED_WIDTH
    return console
