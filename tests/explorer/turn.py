"""One worker's turn: what it does or asks, and what it knows once it is answered, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from middleware import answers
from tests.explorer.promised import answering
from tests.explorer.state import FIRST_CHANNEL, IDLE, State, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.explorer.asking import Question
    from tests.explorer.told import EmbeddedLedger, Told


class Move(NamedTuple):
    """One thing that may happen, and the state that it makes; `told` if the ledger was asked.

    `what` is in words, but for the question and its answer.
    """

    what: str
    after: State
    question: Question = ()
    told: Told | None = None


class Care(NamedTuple):
    """What the worker itself heeds: it intends before it posts; nothing is written after `post_by`,
    which is counted from before it asked; its tokens are random; and where the store lost the
    target, absence proves nothing if the channel has changed since the acceptance.
    """

    intent: bool = True
    post_by: bool = True
    post_by_from_question: bool = True
    random_tokens: bool = True
    changed_channel: bool = True


class Turn(NamedTuple):
    """One worker's turn in a state."""

    ledger: EmbeddedLedger
    state: State
    place: int
    care: Care

    @property
    def worker(self) -> Worker:
        return self.state.workers[self.place]

    def put(self, worker: Worker, **changed: Any) -> State:  # noqa: ANN401 - fields of a state
        first, second = self.state.workers
        workers = (worker, second) if self.place == 0 else (first, worker)
        return self.state._replace(workers=workers, **changed)

    def does(self, what: str, after: State) -> Move:
        return Move(f"worker {self.place + 1} {what}", after)

    def asks(self, question: Question) -> Iterator[Move]:
        """It is answered; or the script ran, and the answer is lost."""
        state = self.state
        told = self.ledger.ask(state.ledger, question, server=state.server, now_ms=state.now_ms)
        if told.reply is None:
            return
        heard = self._replace(state=answering(self.ledger, state, question, told))
        after = heard.put(answered(self, question, told.reply))
        yield Move(_ASKS[self.place], after, question, told)
        # Where nothing was written, whoever lost the answer can do nothing new.
        if told.ledger is state.ledger:
            return
        left = state.left.less("lost_replies")
        if left is not None:
            after = heard.put(unanswered(self.worker, question), left=left)
            yield Move(_HEARS_NOTHING[self.place], after, question, told)


_ASKS = ("worker 1 asks", "worker 2 asks")
_HEARS_NOTHING = tuple(f"{asks}, and hears nothing," for asks in _ASKS)


def unanswered(worker: Worker, question: Question) -> Worker:
    return worker._replace(stage="asked", token=str(question[1]), asked=question)


def answered(turn: Turn, question: Question, reply: object) -> Worker:
    """What it knows then."""
    token, worker, state = str(question[1]), turn.worker, turn.state
    match reply:
        case answers.Granted(marker=marker):
            return Worker("granted", token, marker)
        case answers.Uncertain(marker=marker, target=target, now_ms=now_ms):
            # Where the ledger does not know, today's configuration has to.
            is_changed = state.channel != FIRST_CHANNEL and turn.care.changed_channel
            stage = "guessing" if is_changed and not target else "looking"
            return Worker(stage, token, marker, now_ms, target.get("channel", state.channel))
        case answers.Go(remaining_ms=remaining_ms, target=target):
            going = Worker("going", token, worker.marker, remaining_ms, target["channel"])
            if not turn.care.post_by_from_question:
                return going._replace(stage="hearing")
            # Who hears it later is like one who stood still when he had heard it.
            return going._replace(at_ms=state.now_ms + remaining_ms)
        case answers.Reclaimed():
            return Worker("granted", token, worker.marker)
        case answers.TooEarly():
            return worker._replace(stage="looking", asked=())
        case answers.Lost() if question[0] == "postpone" and worker.asked[:1] == ("claim",):
            # The claim that nobody heard of may have been one to look, which is put off then.
            return worker
    return IDLE
