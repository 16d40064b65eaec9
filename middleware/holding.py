"""What the holder of a claim tells the ledger, and how long it insists.

A receipt is told until the ledger has taken it, in the end by the process. A claim is handed back
for as long as it could still be held. The rest the sweeper finds out when the lease ends.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from middleware.answers import (
    AbsentAnswer,
    Go,
    IntendAnswer,
    Late,
    Lost,
    Ok,
    SentAnswer,
    Settled,
    StrayPost,
)
from middleware.backoff import delivery_delay_ms, look_delay_ms
from middleware.driving import Ask, Flow, Pause
from middleware.errors import UNHEARD, ReplicasBehind
from middleware.fates import NotNow
from middleware.post_by import PostBy, boot_clock_s

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from middleware.fates import Refused
    from middleware.keys import Delivery
    from middleware.ledger import Ledger
    from middleware.script import Call

T = TypeVar("T")

log = logging.getLogger(__name__)

# While the store is away nothing else can be done with the claim; this often it is asked again.
_ASK_AGAIN_S = 0.5


@dataclass(slots=True, kw_only=True)
class Holding:
    """One claim as held by this worker; `is_over` once it was given back or lost."""

    delivery: Delivery
    token: str
    lease_ms: int
    returns: int
    ledger: Ledger
    is_over: bool = field(default=False)

    def intend(self, target: Mapping[str, str]) -> Flow[tuple[PostBy, Mapping[str, str]] | None]:
        """Until when, and where, one POST may be made; None when none may be made."""
        asked_at_s = boot_clock_s()
        call = self.ledger.intend(
            self.delivery, token=self.token, target=target, lease_ms=self.lease_ms
        )
        try:
            answer: IntendAnswer = yield Ask(call)
        except UNHEARD as error:
            # The intent may be written, but nothing was posted: say so as soon as one listens.
            behind = isinstance(error, ReplicasBehind)
            reason = "replicas_behind" if behind else "ledger_unavailable"
            yield from self.postpone(NotNow(reason))
            return None
        match answer:
            case Go(remaining_ms=remaining_ms, target=frozen):
                # Counted from before the question: the server's clock had not begun earlier.
                post_by = PostBy(asked_at_s + remaining_ms / 1_000)
                if not post_by.passed():
                    return post_by, frozen
                yield from self.postpone(NotNow("answered_too_late"))
                return None
            case Lost() | Settled():
                self._end(answer)
                return None
            case _:
                assert_never(answer)

    def settle_sent(
        self, receipt: Mapping[str, str], duplicates: Sequence[Mapping[str, str]] = ()
    ) -> Flow[None]:
        """A receipt in hand is never thrown away: ask until the ledger has taken it, or leave it to
        the process, which goes on asking. `duplicates` are further posts, recorded and alerted.
        """
        call = self.ledger.settle_sent(
            self.delivery, token=self.token, receipt=receipt, duplicates=duplicates
        )
        self.is_over = True
        for each in duplicates:
            log.critical("delivery.duplicate_post delivery=%s receipt=%s", self.delivery, each)
        is_taken = False
        try:
            answer = yield from self._insist(call)
            is_taken = True
        except GeneratorExit:
            raise
        except BaseException:
            # Interrupted; but a receipt is worth one more question.
            is_taken = yield from self._takes(call)
            raise
        finally:
            if not is_taken:
                log.critical(
                    "delivery.receipt_in_hand delivery=%s receipt=%s", self.delivery, receipt
                )
                self.ledger.receipts.keep(call)
        match answer:
            case Ok():
                log.info("delivery.sent delivery=%s", self.delivery)
            case Late():
                log.warning("delivery.sent.late delivery=%s", self.delivery)
            case StrayPost(kind=kind):
                log.critical("delivery.%s delivery=%s receipt=%s", kind, self.delivery, receipt)
            case _:
                assert_never(answer)

    def reject(self, refused: Refused) -> Flow[None]:
        log.warning("delivery.rejected delivery=%s error=%s", self.delivery, refused.code)
        call = self.ledger.settle_rejected(
            self.delivery, token=self.token, error=refused.code, reason=refused.sentence
        )
        yield from self._give_back(call)

    def postpone(self, not_now: NotNow, *, attempt_used: bool = False) -> Flow[None]:
        """Nothing was posted; the ledger brings it back."""
        delay_ms = delivery_delay_ms(self.returns, not_now.delay_ms)
        log.info("delivery.waits delivery=%s reason=%s", self.delivery, not_now.reason)
        call = self.ledger.postpone(
            self.delivery,
            token=self.token,
            reason=not_now.reason,
            delay_ms=delay_ms,
            attempt_used=attempt_used,
        )
        yield from self._give_back(call)

    def doubt(self, why: str) -> Flow[None]:
        """A POST of unknown fate. Said once: when the lease ends, the sweeper doubts by itself."""
        self.is_over = True
        log.warning("delivery.uncertain delivery=%s why=%s", self.delivery, why)
        try:
            yield Ask(self.ledger.doubt(self.delivery, token=self.token, why=why))
        except UNHEARD:
            log.warning("delivery.uncertain.unrecorded delivery=%s", self.delivery)

    def absent(self, *, read_begun_ms: int) -> Flow[AbsentAnswer]:
        """Lost, too, when the ledger did not answer: then nothing may be posted."""
        call = self.ledger.absent(
            self.delivery,
            token=self.token,
            read_begun_ms=read_begun_ms,
            lease_ms=self.lease_ms,
        )
        answer = yield from self._while_held(call)
        return Lost() if answer is None else answer

    def look_later(self, asked_ms: int | None, *, completed: bool, why: str) -> Flow[None]:
        call = self.ledger.look_later(
            self.delivery,
            token=self.token,
            delay_ms=look_delay_ms(self.returns, asked_ms),
            completed=completed,
            why=why,
        )
        yield from self._give_back(call)

    def give_up(self, why: str) -> Flow[None]:
        log.critical("delivery.unproven delivery=%s error=%s", self.delivery, why)
        call = self.ledger.give_up(
            self.delivery,
            token=self.token,
            error=why,
            reason="whether it was posted cannot be told; a person must look",
        )
        yield from self._give_back(call)

    def _insist(self, call: Call[SentAnswer]) -> Flow[SentAnswer]:
        while True:
            try:
                answer: SentAnswer = yield Ask(call)
            except UNHEARD:
                log.warning("delivery.sent.unrecorded delivery=%s", self.delivery)
            else:
                return answer
            yield Pause(_ASK_AGAIN_S)

    def _takes(self, call: Call[Any]) -> Flow[bool]:
        try:
            yield Ask(call)
        except UNHEARD:
            return False
        return True

    def _give_back(self, call: Call[Any]) -> Flow[None]:
        self.is_over = True
        try:
            answer = yield from self._while_held(call)
        except GeneratorExit:
            raise
        except BaseException:
            # Interrupted; but that nothing was posted is known here only, so it is told once more.
            yield from self._takes(call)
            raise
        if answer is None:
            log.warning("delivery.return.unrecorded delivery=%s", self.delivery)
        else:
            self._end(answer)

    def _while_held(self, call: Call[T]) -> Flow[T | None]:
        """None when the ledger did not answer for as long as the claim could be held."""
        held_until_s = boot_clock_s() + self.lease_ms / 1_000
        while boot_clock_s() < held_until_s:
            try:
                answer: T = yield Ask(call)
            except UNHEARD:
                yield Pause(_ASK_AGAIN_S)
            else:
                return answer
        return None

    def _end(self, answer: object) -> None:
        self.is_over = True
        if not isinstance(answer, Ok):
            log.info("delivery.answer delivery=%s answer=%s", self.delivery, answer)
