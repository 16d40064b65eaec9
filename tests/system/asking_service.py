"""A service that asks for one message after the other, and insists until it is told."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from middleware.answers import Accepted
from middleware.errors import LedgerUnavailable

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from tests.system.deliveries import Deliveries

# Now and then, beside what waits already.
_PAUSE_S = 0.02


class AskingService:
    """`asked` are those that were accepted, in order."""

    def __init__(self, deliveries: Deliveries) -> None:
        self.asked: list[str] = []
        self._deliveries = deliveries
        self._stopped = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def ask_many(self, count: int) -> None:
        """At once, before it starts."""
        self.asked += self._deliveries.ask_many(f"waiting-{number}" for number in range(count))

    def start(self) -> None:
        """To ask by itself."""
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def ask_again(self) -> list[str]:
        """Everything, as a careful service does that heard of a loss; what had been forgotten."""
        return [each for each in self.asked if self._insist(each) == Accepted()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopped.wait(_PAUSE_S):
            self._ask_another()

    def _ask_another(self) -> None:
        each = f"asked-{len(self.asked)}"
        self._insist(each)
        self.asked.append(each)

    def _insist(self, message_request_id: str) -> object:
        while True:
            try:
                return self._deliveries.ask(message_request_id)
            except LedgerUnavailable:
                # Whether it was taken is not known, and asking again is safe.
                self._stopped.wait(_PAUSE_S)
