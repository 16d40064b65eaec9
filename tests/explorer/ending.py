"""Whether a delivery can still end: all workers are gone, nothing fails any more, and time passes.

Only the sweeper brings it back, as its schedule says; what dispatch lets pass is worked on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from middleware import answers
from tests.explorer.state import IDLE, TERMINAL, Left, Post, State

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tests.explorer.likeness import Likeness
    from tests.explorer.told import EmbeddedLedger

# More than a delivery of so few attempts, that lives so short, is ever brought back.
_MOST_ROUNDS = 40
_TOKEN = "token-of-the-last"
_NOTHING = Left()
# What may hold for good, and what is said where it then never ends.
_FOR_GOOD = {
    "all is well": "it never ends",
    "nobody can look": "it never ends, for nobody can look",
    "it must wait": "it never ends, for it must always wait",
}


class Endings:
    """Remembers which states it has seen the end of."""

    def __init__(self, ledger: EmbeddedLedger, likeness: Likeness) -> None:
        self._ledger = ledger
        self._likeness = likeness
        self._ends: dict[tuple[Hashable, str], bool] = {}

    def breach(self, state: State) -> str | None:
        """Whatever holds for good, it must end."""
        left_alone = state._replace(workers=(IDLE, IDLE), left=_NOTHING, on_disk=None)
        key = self._likeness(left_alone)
        for holds, breach in _FOR_GOOD.items():
            if (key, holds) not in self._ends:
                self._ends[key, holds] = _Ending(self._ledger, left_alone, holds).comes()
            if not self._ends[key, holds]:
                return breach
        return None


class _Ending:
    def __init__(self, ledger: EmbeddedLedger, state: State, holds: str) -> None:
        self._ledger = ledger
        self._state = state
        self._holds = holds

    def comes(self) -> bool:
        for _ in range(_MOST_ROUNDS):
            state = self._ledger.record(self._state.ledger).get("state")
            if state is None or state in TERMINAL:
                return True
            due = self._ask("due_tenants")
            if due.members:
                due = self._ask("due")
            if due.members:
                self._sweep()
            elif due.next_ms is None:
                return False
            else:
                self._state = self._state._replace(now_ms=due.next_ms)
        return False

    def _sweep(self) -> None:
        match self._ask("sweep"):
            case answers.Enqueue(message=message):
                answer = self._ask("dispatch", message)
            case answers.Make():
                answer = self._ask("dispatch", "m1")
            case _:
                return
        if isinstance(answer, answers.First):
            self._work()

    def _work(self) -> None:
        answer = self._ask("claim", _TOKEN)
        if isinstance(answer, answers.Uncertain):
            answer = self._look(answer)
        if not isinstance(answer, answers.Granted | answers.Reclaimed):
            return
        if self._holds == "it must wait":
            self._ask("postpone", _TOKEN, "given back")
        else:
            answer = self._ask("intend", _TOKEN, self._state.channel)
            if isinstance(answer, answers.Go):
                self._ask("settle_sent", _TOKEN, len(self._state.posts))

    def _look(self, doubt: answers.Uncertain) -> object:
        if self._holds == "nobody can look":
            return self._ask("look_later", _TOKEN, "completed")
        for place, post in enumerate(self._state.posts):
            if _is_found(post, doubt):
                return self._ask("settle_sent", _TOKEN, place)
        return self._ask("absent", _TOKEN, doubt.now_ms)

    def _ask(self, *question: str | int) -> Any:  # noqa: ANN401 - the answer of any question
        state = self._state
        told = self._ledger.ask(state.ledger, question, server=state.server, now_ms=state.now_ms)
        self._state = state._replace(ledger=told.ledger)
        if told.reply is not None:
            return told.reply
        self._ask("enter_epoch")
        return self._ask(*question)


def _is_found(post: Post, doubt: answers.Uncertain) -> bool:
    is_there = post.channel == doubt.target.get("channel") and post.marker == doubt.marker
    return is_there and post.visible_ms <= doubt.now_ms
