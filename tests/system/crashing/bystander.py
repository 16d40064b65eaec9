"""Sees at the store's server itself who asks what, so that nothing can go around the doors unseen.

Whoever looks on comes by the server's other socket, and is not seen.
"""

from __future__ import annotations

from collections import Counter
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from tests.system.crashing.doors import Door
    from tests.system.crashing.stage import Stage

_SEEN_S = 10.0
_LAST = "the bystander goes"


class Bystander:
    """Looks on as long as its context lasts."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._seen: Counter[tuple[int, str]] = Counter()
        self._is_ready = Event()
        self._thread = Thread(target=self._watch, name="bystander", daemon=True)

    def went_around(self, doors: Iterable[Door]) -> list[str]:
        """What the server was asked and no door has let through, or more often than it did."""
        passed: Counter[tuple[int, str]] = Counter()
        for door in doors:
            passed.update(door.passed)
        return [f"{name}, {count} times" for (_, name), count in (self._seen - passed).items()]

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_ready.wait(_SEEN_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._stage.observer() as client:
            client.echo(_LAST)
        self._thread.join(_SEEN_S)

    def _watch(self) -> None:
        with self._stage.observer() as client, client.monitor() as monitor:
            self._is_ready.set()
            while True:
                told: dict[str, Any] = monitor.next_command()
                if _LAST in told["command"]:
                    return
                # Neither what a script does is seen here, nor what observers ask.
                if told["client_type"] == "tcp":
                    name = told["command"].split(" ", 1)[0].lower()
                    self._seen[int(told["client_port"]), name] += 1
