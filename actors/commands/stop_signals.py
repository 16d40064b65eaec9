"""A signal that ends a command is raised where it lands, and where that was swallowed, once more.

pydantic takes what is raised in the midst of its serializing for a warning (2.14, tried).
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from actors.commands.exit_codes import ExitCode

if TYPE_CHECKING:
    from types import FrameType

_raised: list[BaseException] = []


def end_by_signals() -> None:
    """SIGTERM as Ctrl-C: whatever runs is left in order."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _interrupt)


def raise_swallowed() -> None:
    """For what runs long: asked at each step, since what was swallowed is not raised by itself."""
    if _raised:
        raise _raised.pop()


def _end(_number: int, _frame: FrameType | None) -> None:
    _raise(SystemExit(ExitCode.TERMINATED))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _raise(KeyboardInterrupt())


def _raise(stop: BaseException) -> None:
    _raised.append(stop)
    raise stop
