"""A command ends in an exit code, whatever happens in it; only a bug ends in a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.commands.exit_codes import ExitCode
from actors.commands.stdout import forgiving_stdout

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.commands.failures import Failure

_SAFE = "running it again is safe"
_POSTS_AGAIN = "run again, it posts a further time what has ended unproven anew"


def again_of(*, post_again: bool) -> str:
    """What comes of it if a person runs the same command line again."""
    return _POSTS_AGAIN if post_again else _SAFE


def carry_out(command: Callable[[], ExitCode], *, again: str = _SAFE) -> ExitCode:
    """The command's exit code, or that of what hindered it, said in a line.

    `again` says what comes of running it again after the store was away in the middle.
    """
    with forgiving_stdout() as stdout:
        try:
            code = command()
            stdout.flush()
        except BrokenPipeError:
            stdout.drop()
            return ExitCode.READER_GONE
        except Exception as error:
            # Not at the top: it imports every client, and `--help` needs none.
            from actors.commands.failures import failure_of  # noqa: PLC0415

            failure = failure_of(error)
            if failure is None:
                raise
            code = _hindered(failure, again)
        return _shown(code, stdout.failure)


def _hindered(failure: Failure, again: str) -> ExitCode:
    from actors.commands.screen import complain  # noqa: PLC0415 - as above

    ending = f"; {again}" if failure.exit_code is ExitCode.UNREACHABLE else ""
    for line in failure.lines:
        complain(f"postonce: {line}{ending}")
    return failure.exit_code


def _shown(code: ExitCode, failure: str) -> ExitCode:
    """What was done must not look as if it was not; what was not done keeps its own code."""
    if not failure:
        return code
    from actors.commands.screen import complain  # noqa: PLC0415 - as above

    if code is not ExitCode.DONE:
        complain(f"postonce: stdout cannot be written: {failure}")
        return code
    complain(f"postonce: carried out, but it could not be shown: stdout: {failure}")
    return ExitCode.UNSHOWN
