"""What `postonce` ends with; scripts rely on these numbers, so none of them ever changes."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNKNOWN_REQUEST = 3
    UNREACHABLE = 4
    UNSHOWN = 5
    # As for any program that a signal ends: 128 and the signal's number.
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143
