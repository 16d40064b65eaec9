"""What the ledger tells: each question is asked once of each state of the store at each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from middleware.keys import Keys
from tests.explorer.asking import DELIVERY, Questions
from tests.explorer.embedded import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from middleware.script import Script
    from tests.explorer.asking import Question
    from tests.explorer.embedded import Contents
    from tests.explorer.keyspace import Value

_EPOCH_CHANGED = ["epoch_changed"]


class Told(NamedTuple):
    """`reply` as the client decodes it; `events` that the call told everyone.

    None for a reply: the server is not the one that the ledger knows, and nothing was written.
    """

    reply: Any
    ledger: Contents
    events: tuple[str, ...]


class EmbeddedLedger:
    """One delivery in a store in memory; `changed` replaces scripts by name."""

    def __init__(self, *, changed: Mapping[str, Script] | None = None) -> None:
        keys = Keys(partitions=1)
        self._questions = Questions(keys)
        self._record = keys.delivery(DELIVERY)
        self._epoch = keys.epoch(0)
        self._outcomes = keys.outcomes(0)
        self._due = (keys.due(DELIVERY.tenant), keys.tenants(0))
        # For people and other rooms: no script's answer or record depends on it.
        forgotten = (
            keys.history(DELIVERY),
            keys.request(DELIVERY),
            keys.counts(0),
            keys.requests(0),
            self._outcomes,
        )
        self._server = EmbeddedServer(changed=changed, forgotten=forgotten)
        self._told: dict[tuple[Contents, Question, int, int], Told] = {}
        self.empty = self._server.empty

    @property
    def runs(self) -> int:
        return len(self._told)

    def ask(self, ledger: Contents, question: Question, *, server: int, now_ms: int) -> Told:
        """`server` is a number for each life of the server."""
        asked = (ledger, question, server, now_ms)
        told = self._told.get(asked)
        if told is None:
            told = self._told[asked] = self._run(ledger, question, server, now_ms)
        return told

    def record(self, ledger: Contents) -> Mapping[str, str]:
        return cast("Mapping[str, str]", ledger.values.get(self._record, {}))

    def epoch(self, ledger: Contents) -> Mapping[str, str]:
        return cast("Mapping[str, str]", ledger.values.get(self._epoch, {}))

    def like(
        self,
        ledger: Contents,
        record: Mapping[str, str],
        epoch: Mapping[str, str],
        moved: Callable[[float], float],
    ) -> Contents:
        """The same with this record, in this epoch, and due at times that are moved so."""
        values: dict[str, Value] = {self._epoch: dict(epoch)}
        if record:
            values[self._record] = dict(record)
        for key in self._due:
            scores = cast("Mapping[str, float]", ledger.values.get(key, {}))
            if scores:
                values[key] = {member: moved(at_ms) for member, at_ms in scores.items()}
        return self._server.holding(values)

    def _run(self, ledger: Contents, question: Question, server: int, now_ms: int) -> Told:
        call = self._questions.call(question)
        reply, after, written = self._server.run(
            ledger, call, identity=identity_of(server), now_ms=now_ms
        )
        if reply == _EPOCH_CHANGED:
            return Told(None, after, ())
        stream: Any = written.values.get(self._outcomes, ())
        return Told(call.decode(reply), after, tuple(event["event"] for event in stream))


def identity_of(server: int) -> str:
    """Run id, replication id, and that it has followed no other."""
    return f"{server:x} {server:040x} {0:040x}"
