"""The middleware's own worker, step by step, beside the explorer's: what the one does, the other
must be able to do.

Nothing runs here but the flows of `SendLock`, `Claim` and `Holding`; each answer is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

import dramatiq
from dramatiq.brokers.stub import StubBroker

from middleware.answers import Uncertain, text_to_mapping
from middleware.claim import SyncClaim
from middleware.delivery_key import DeliveryKey
from middleware.dispatch_once import DispatchOnce
from middleware.driving import Ask, Flow, Invoke, Pause, Step
from middleware.errors import LedgerUnavailable
from middleware.fates import Found, NotNow, Posted, Refused
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.send_lock import SendLock, _guard, current_claim
from middleware.store import Store
from tests.explorer import answerable
from tests.explorer.answerable import Failed, Interrupted
from tests.explorer.asking import DELIVERY, TIMING, receipt_of
from tests.explorer.turn import Care, Turn, answered, unanswered
from tests.explorer.walks import UNLIMITED
from tests.explorer.working import token_of, working

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from middleware.script import Call
    from tests.explorer.asking import Question
    from tests.explorer.choices import Choices
    from tests.explorer.search import Model
    from tests.explorer.state import Worker
    from tests.explorer.turn import Move

_TOKEN = token_of(0)
_LEFT = UNLIMITED._replace(crashes=0, pauses=0)
# So often on one way the store does not answer, or the actor is interrupted while it asks.
_MOST_TROUBLES = 2


class Unlike(Exception):
    """The real worker did what the explorer's cannot do; the way to it is told."""


class Beside:
    """One claim of the real worker, and what the explorer's one knows at each of its steps."""

    def __init__(self, model: Model, choices: Choices) -> None:
        self.asked: set[str] = set()
        self._way: list[str] = []
        self._embedded = model.ledger
        self._choices = choices
        self._troubles = _MOST_TROUBLES
        start = model.start(UNLIMITED)
        told = self._embedded.ask(
            start.ledger, ("accept", answerable.MARKER), server=start.server, now_ms=start.now_ms
        )
        self._state = start._replace(ledger=told.ledger)
        self._ledger = Ledger(Store("unix:///dev/null"), Keys(partitions=1), TIMING)

    def go(self) -> None:
        """From the question for a claim until nothing more is done. Raise Unlike."""
        try:
            self._drive(self._guarded())
        except (Interrupted, Failed, AssertionError, LedgerUnavailable) as error:
            self._way.append(f"ends with {type(error).__name__}")
        # The process goes on telling what the actor could not.
        self._troubles = 0
        self._ledger.receipts.tell(self._ask, self._ledger.store)
        if self._worker.stage != "idle":
            self._become("idle")

    @property
    def _worker(self) -> Worker:
        return self._state.workers[0]

    @property
    def _turn(self) -> Turn:
        return Turn(self._embedded, self._state, 0, Care())

    def _guarded(self) -> Flow[None]:
        broker = StubBroker(middleware=[])
        lock = SendLock(self._ledger)
        broker.add_middleware(DispatchOnce(self._ledger))
        broker.add_middleware(lock)
        key = DeliveryKey(tenant="tenant", id="request")
        declare = dramatiq.actor(broker=broker, send_lock=key, dispatch_once=key)
        actor = declare(_send)
        run = Invoke(self._run, (DELIVERY.tenant, DELIVERY.id))
        return _guard(lock, actor, key, SyncClaim, run)

    def _drive(self, flow: Flow[None]) -> None:
        """As the middleware does, but that each step is answered here."""
        resume: Callable[[Any], Step] = flow.send
        value: Any = None
        while True:
            try:
                step = resume(value)
            except StopIteration:
                return
            try:
                value = self._value_of(step)
                resume = flow.send
            except Unlike:
                raise
            except BaseException as error:  # noqa: BLE001 - the flow maps each one to a fate
                resume, value = flow.throw, error

    def _value_of(self, step: Step) -> Any:  # noqa: ANN401 - of any step
        match step:
            case Ask(call=call):
                return self._ask(call)
            case Invoke():
                return step()
            case Pause():
                self._pause()
                return None
            case _:
                assert_never(step)

    def _ask(self, call: Call[Any]) -> Any:  # noqa: ANN401 - the answer of any question
        question = _question_of(call)
        name = str(question[0])
        self.asked.add(name)
        if question not in {move.question for move in self._moves()}:
            self._raise(f"ask {question}")
        self._way.append(f"asks {question}")
        unheard = answerable.UNHEARD if self._troubles else ()
        try:
            answer = self._chosen((*answerable.LEDGERS[name], *unheard))
        except BaseException:
            self._troubles -= 1
            self._put(unanswered(self._worker, question))
            raise
        if isinstance(answer, Uncertain):
            self._state = self._state._replace(posts=self._choices.among(answerable.POSTS))
        self._put(answered(self._turn, question, answer))
        return answer

    def _pause(self) -> None:
        if self._troubles and self._choices.among((False, True)):
            self._troubles -= 1
            self._way.append("is interrupted")
            raise Interrupted

    def _run(self, _tenant: str, _request: str) -> None:
        if self._chosen(answerable.ACTORS) == "performs":
            claim = current_claim()
            flow = claim._perform(self._prepare, self._post, self._look)  # noqa: SLF001 - its steps
            self._drive(flow)

    def _prepare(self) -> object:
        return self._chosen(answerable.PREPARED)

    def _post(self, target: Mapping[str, str], _payload: object, _post_by: object) -> object:
        if self._worker.stage != "going" or target["channel"] != self._worker.channel:
            self._raise(f"post to {target}")
        receipt = receipt_of(str(len(self._state.posts)))
        try:
            answer = self._chosen(answerable.posted(receipt))
        except BaseException:
            self._become("unknown")
            raise
        if not isinstance(answer, NotNow | Refused):
            self._become("receipt" if isinstance(answer, Posted) else "unknown")
        return answer

    def _look(self, target: Mapping[str, str], _intent_at_ms: int) -> object:
        if self._worker.stage != "looking" or target["channel"] != self._worker.channel:
            self._raise(f"look at {target}")
        receipts = [receipt_of(str(place)) for place in range(len(self._state.posts))]
        answer = self._chosen(answerable.looked(receipts))
        if isinstance(answer, Found):
            self._become("receipt", tuple(range(1 + len(answer.duplicates))))
        return answer

    def _chosen(self, options: Sequence[object]) -> object:
        """Raised, where it is an error."""
        answer = self._choices.among(options)
        self._way.append(f"  -> {answer!r}")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _become(self, stage: str, places: tuple[int, ...] | None = None) -> None:
        """By what the explorer's worker can do without a question."""
        for move in self._moves():
            worker = move.after.workers[0]
            if move.told is None and worker.stage == stage and places in {None, worker.places}:
                self._put(worker)
                return
        self._raise(f"become {stage}")

    def _moves(self) -> list[Move]:
        """But that it dies, or is paused just before its POST: the real one does neither here."""
        state = self._state._replace(left=_LEFT)
        return list(working(self._embedded, state, 0, Care()))

    def _put(self, worker: Worker) -> None:
        self._state = self._turn.put(worker)

    def _raise(self, what: str) -> None:
        worker = f"the explorer's worker cannot {what}, knowing {self._worker}"
        raise Unlike("\n".join([*self._way, worker]))


def _send(tenant: str, request: str) -> None:
    """The actor as it is declared; what it does is chosen."""


def _question_of(call: Call[Any]) -> Question:
    """As the explorer asks it; the real token is random, and there is only one here."""
    name = call.script.name
    # Behind the tenant, the id, the retention and the token.
    told = [str(each) for each in call.arguments[4:]]
    match name:
        case "intend":
            return name, _TOKEN, text_to_mapping(told[0])["channel"]
        case "settle_sent":
            return name, _TOKEN, *map(_place_of, told[1:])
        case "postpone":
            return name, _TOKEN, told[2]
        case "absent":
            return name, _TOKEN, int(told[0])
        case "look_later":
            return name, _TOKEN, told[1]
    return name, _TOKEN


def _place_of(receipt: str) -> int:
    return int(text_to_mapping(receipt)["ts"].partition(".")[2])
