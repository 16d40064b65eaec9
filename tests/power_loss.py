"""A power loss, as far as a server's append-only file goes: the disk has less than was written.

A killed server loses nothing that way, since the kernel still writes what it was given. So the
file's length is noted while the server runs, and afterwards it is cut to what it was a while ago:
the most that can be missing when the server has the disk keep it so often.
"""

from __future__ import annotations

import os
import time
from collections import deque
from threading import Event, Thread
from typing import TYPE_CHECKING

from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from sandbox.servers import ValkeyProcess

# `everysec`, on a disk that keeps up.
EVERYSEC_S = 1.0
# A cut falls between two commands only by chance, as it would.
_NOTED_EVERY_S = 0.005
# The server must not begin another file meanwhile.
ONE_FILE = {"auto-aof-rewrite-percentage": "0"}


class PowerLoss:
    """Watches a running server, whose config has ONE_FILE."""

    def __init__(self, server: ValkeyProcess) -> None:
        self._server = server
        self._lengths: deque[tuple[float, int]] = deque(maxlen=10_000)
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def strike(self, *, lost_s: float = EVERYSEC_S) -> int:
        """Kill the server and cut what it wrote in its last seconds; how many bytes that was."""
        struck_s = time.monotonic()
        self._server.kill()
        written = self._file.stat().st_size
        kept = self._kept(struck_s - lost_s)
        os.truncate(self._file, kept)
        return written - kept

    def wait_until_kept(self) -> None:
        """Until a power loss would leave what is written by now."""
        written = self._file.stat().st_size
        wait_until(
            lambda: self._kept(time.monotonic() - EVERYSEC_S) >= written,
            description="the disk has what was written",
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _kept(self, until_s: float) -> int:
        lengths = [length for at_s, length in [*self._lengths] if at_s <= until_s]
        return max(lengths, default=0)

    @property
    def _file(self) -> Path:
        (incremental,) = (self._server.data_dir / "appendonlydir").glob("*.incr.aof")
        return incremental

    def _watch(self) -> None:
        while not self._ended.wait(_NOTED_EVERY_S):
            self._lengths.append((time.monotonic(), self._file.stat().st_size))
