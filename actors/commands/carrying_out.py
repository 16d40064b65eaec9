"""A command ends in an exit code, whatever happens in it; only a bug ends in a traceback."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from actors.commands.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable


def carry_out(command: Callable[[], ExitCode]) -> ExitCode:
    """The command's exit code, or that of what hindered it, said in a line."""
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` has; Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.READER_GONE
    except Exception as error:
        # Not at the top: it imports every client, and `--help` needs none.
        from actors.commands.failures import failure_of  # noqa: PLC0415
        from actors.commands.screen import complain  # noqa: PLC0415

        failure = failure_of(error)
        if failure is None:
            raise
        again = "; running it again is safe" if failure.exit_code is ExitCode.UNREACHABLE else ""
        for sentence in failure.sentences:
            complain(f"postonce: {sentence}{again}")
        return failure.exit_code
