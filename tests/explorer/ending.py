"""Whether a delivery can still end: all workers are gone, nothing fails any more, and time passes.

Only the sweeper brings it back, as its schedule says; what dispatch lets pass is worked on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from middleware import answers
from tests.explorer.state import IDLE, TERMINAL, Left, Post, State

if TYPE_CHECKING:
    from tests.explorer.likeness import Likeness
    from tests.explorer.told import EmbeddedLedger

_TOKEN = "token-of-the-last"
_NOTHING = Left()
# What may hold for good, and what is said where it then never ends.
_FOR_GOOD = {
    "all is well": "it never ends",
    "nobody can look": "it never ends, for nobody can look",
    "it must wait": "it never ends, for it must always wait",
    "it kills": "it never ends, for it kills whoever works on it",
}


class Endings:
    """Remembers of which states it has seen the end."""

    def __init__(self, ledger: EmbeddedLedger, likeness: Likeness) -> None:
        self._ledger = ledger
        self._likeness = likeness
        self._ends: dict[tuple[State, str], bool] = {}

    def breach(self, state: State) -> str | None:
        """Whatever holds for good, it must end."""
        left_alone = self._likeness(
            state._replace(workers=(IDLE, IDLE), left=_NOTHING, on_disk=None)
        )
        for holds, breach in _FOR_GOOD.items():
            if not self._comes(left_alone, holds):
                return breach
        return None

    def _comes(self, state: State, holds: str) -> bool:
        """It does not where nothing follows, or everything becomes as it was before."""
        way: list[tuple[State, str]] = []
        ends = self._ends.get((state, holds))
        while ends is None:
            if (state, holds) in way:
                ends = False
                break
            way.append((state, holds))
            ends = self._ends.get(way[-1])
            if ends is None:
                following = _Following(self._ledger, state, holds)
                ends = following.ends()
                state = self._likeness(following.state)
        self._ends.update(dict.fromkeys(way, ends))
        return ends


class _Following:
    """What the sweeper makes of a state, if anything; else time passes until something is due."""

    def __init__(self, ledger: EmbeddedLedger, state: State, holds: str) -> None:
        self.state = state
        self._ledger = ledger
        self._holds = holds

    def ends(self) -> bool | None:
        """None: what follows will tell."""
        if self._ledger.record(self.state.ledger).get("state", "none") in {"none", *TERMINAL}:
            return True
        due = self._ask("due_tenants")
        if due.members:
            due = self._ask("due")
        if due.members:
            self._sweep()
        elif due.next_ms is None:
            return False
        else:
            self.state = self.state._replace(now_ms=due.next_ms)
        return None

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
        if self._holds == "it kills":
            return
        if isinstance(answer, answers.Uncertain):
            answer = self._look(answer)
        if not isinstance(answer, answers.Granted | answers.Reclaimed):
            return
        if self._holds == "it must wait":
            self._ask("postpone", _TOKEN, "given back")
        else:
            answer = self._ask("intend", _TOKEN, self.state.channel)
            if isinstance(answer, answers.Go):
                self._ask("settle_sent", _TOKEN, len(self.state.posts))

    def _look(self, doubt: answers.Uncertain) -> object:
        if self._holds == "nobody can look":
            return self._ask("look_later", _TOKEN, "completed")
        for place, post in enumerate(self.state.posts):
            if _is_found(post, doubt, self.state.channel):
                return self._ask("settle_sent", _TOKEN, place)
        return self._ask("absent", _TOKEN, doubt.now_ms)

    def _ask(self, *question: str | int) -> Any:  # noqa: ANN401 - the answer of any question
        state = self.state
        told = self._ledger.ask(state.ledger, question, server=state.server, now_ms=state.now_ms)
        self.state = state._replace(ledger=told.ledger)
        if told.reply is not None:
            return told.reply
        self._ask("enter_epoch")
        return self._ask(*question)


def _is_found(post: Post, doubt: answers.Uncertain, channel: str) -> bool:
    is_there = post.channel == doubt.target.get("channel", channel) and post.marker == doubt.marker
    return is_there and post.visible_ms <= doubt.now_ms
