"""A worker's exclusive right to one delivery; nothing can post without it.

`perform` maps everything that can happen to one of three fates. `sent` is written from an explicit
receipt only; what `post` raises, whatever it is, is unknown.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from middleware.answers import Granted, Lost, Reclaimed, Settled, TooEarly, Uncertain
from middleware.driving import Flow, Invoke, adrive, drive
from middleware.errors import ClaimUsedUp
from middleware.fates import (
    Absent,
    CannotTell,
    Found,
    LookAnswer,
    NotNow,
    PostAnswer,
    Posted,
    Prepared,
    Ready,
    Refused,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from middleware.holding import Holding
    from middleware.keys import Delivery
    from middleware.post_by import PostBy

log = logging.getLogger(__name__)

# Anything else that an error calls its reason could be a piece of the provider's answer.
_CODE = re.compile(r"[A-Za-z0-9_]{1,64}")


@dataclass(slots=True, kw_only=True)
class Claim:
    """The current claim, as the actor's function sees it.

    `thread_ts` is the thread a later message set, if one did.
    """

    delivery: Delivery
    marker: str
    attempt: int
    thread_ts: str | None
    holding: Holding = field(repr=False)
    doubt: Uncertain | None = field(repr=False)
    has_begun: bool = field(default=False, repr=False)
    may_have_posted: bool = field(default=False, repr=False)

    def abandon(self, why: str, *, attempt_used: bool = True) -> Flow[None]:
        """The function ended and settled nothing: what it may have posted is in doubt; if nothing,
        the delivery waits, its attempt used or given back.
        """
        if self.holding.is_over:
            return
        # Said first: a `perform` that was left to another thread or task posts nothing after it.
        self.holding.is_over = True
        if self.may_have_posted:
            yield from self.holding.doubt(why)
        elif self.doubt is not None:
            yield from self.holding.look_later(None, completed=False, why=why)
        else:
            yield from self.holding.postpone(NotNow(why), attempt_used=attempt_used)

    def _perform(
        self,
        prepare: Callable[[], Any],
        post: Callable[[Mapping[str, str], Any, PostBy], Any],
        look: Callable[[Mapping[str, str], int], Any],
    ) -> Flow[None]:
        if self.has_begun:
            msg = f"perform was called before on the claim of {self.delivery}"
            raise ClaimUsedUp(msg)
        self.has_begun = True
        if self.doubt is not None:
            is_absent = yield from self._reconcile(self.doubt, look)
            if not is_absent:
                return
        prepared: Prepared = yield Invoke(prepare)
        match prepared:
            case Ready(target=target, payload=payload):
                go = yield from self.holding.intend(target)
                if go is not None:
                    post_by, frozen = go
                    yield from self._post(Invoke(post, (frozen, payload, post_by)))
            case Refused():
                yield from self.holding.reject(prepared)
            case NotNow():
                yield from self.holding.postpone(prepared)
            case _:
                assert_never(prepared)

    def _post(self, post: Invoke) -> Flow[None]:
        # Said before it is true: an interrupt may come between any two lines, and a POST that was
        # made must not be taken for one that was not.
        self.may_have_posted = True
        if self.holding.is_over:
            return
        try:
            answer: PostAnswer = yield post
        except GeneratorExit:
            # Nobody drives on, so nobody can be told.
            raise
        except BaseException as error:
            yield from self.holding.doubt(_why(error))
            if not isinstance(error, Exception):
                raise
            return
        match answer:
            case Posted(receipt=receipt):
                yield from self.holding.settle_sent(receipt)
            case NotNow():
                yield from self.holding.postpone(answer)
            case Refused():
                yield from self.holding.reject(answer)
            case _:
                yield from self.holding.doubt("not_an_answer")
                assert_never(answer)

    def _reconcile(
        self, doubt: Uncertain, look: Callable[[Mapping[str, str], int], Any]
    ) -> Flow[bool]:
        """True when the POST is proven absent and the claim may post again."""
        try:
            answer: LookAnswer = yield Invoke(look, (doubt.target, doubt.intent_at_ms))
        except Exception as error:  # noqa: BLE001 - an error while looking never proves anything
            why = type(error).__name__
            log.warning("look.failed delivery=%s error=%s", self.delivery, why)
            yield from self.holding.look_later(None, completed=False, why=why)
            return False
        match answer:
            case Found(receipt=receipt, duplicates=duplicates):
                yield from self.holding.settle_sent(receipt, duplicates)
                return False
            case Absent(read_begun_ms=read_begun_ms):
                begun_ms = doubt.now_ms if read_begun_ms is None else read_begun_ms
                return (yield from self._reclaim(begun_ms))
            case CannotTell(reason=reason, final=True):
                yield from self.holding.give_up(reason)
                return False
            case CannotTell(reason=reason, delay_ms=delay_ms):
                yield from self.holding.look_later(delay_ms, completed=True, why=reason)
                return False
            case NotNow(reason=reason, delay_ms=delay_ms):
                yield from self.holding.look_later(delay_ms, completed=False, why=reason)
                return False
            case _:
                assert_never(answer)

    def _reclaim(self, read_begun_ms: int) -> Flow[bool]:
        answer = yield from self.holding.absent(read_begun_ms=read_begun_ms)
        match answer:
            case Reclaimed(attempt=attempt):
                self.attempt = attempt
                self.doubt = None
                return True
            case TooEarly():
                yield from self.holding.look_later(None, completed=False, why="read_too_early")
                return False
            case Lost() | Settled():
                self.holding.is_over = True
                log.info("delivery.answer delivery=%s answer=%s", self.delivery, answer)
                return False
            case _:
                assert_never(answer)


class SyncClaim(Claim):
    """The claim of a plain function."""

    def perform(
        self,
        prepare: Callable[[], Prepared],
        post: Callable[[Mapping[str, str], Any, PostBy], PostAnswer],
        look: Callable[[Mapping[str, str], int], LookAnswer],
    ) -> None:
        """Prepare, post and settle; or look first, where the fate of a POST is unknown.

        Once a claim: raises ClaimUsedUp the second time. `look` gets the frozen target and the
        intent's time (epoch ms, server clock); where the ledger lost that intent, an empty target
        and a time before which there was none.
        """
        drive(self._perform(prepare, post, look), self.holding.ledger)


class AsyncClaim(Claim):
    """The claim of a coroutine function."""

    async def perform(
        self,
        prepare: Callable[[], Awaitable[Prepared]],
        post: Callable[[Mapping[str, str], Any, PostBy], Awaitable[PostAnswer]],
        look: Callable[[Mapping[str, str], int], Awaitable[LookAnswer]],
    ) -> None:
        """As `SyncClaim.perform`, with coroutine functions."""
        await adrive(self._perform(prepare, post, look), self.holding.ledger)


AnyClaim = SyncClaim | AsyncClaim


def claim_of(kind: type[AnyClaim], answer: Granted | Uncertain, holding: Holding) -> AnyClaim:
    """The claim that this answer gives to the holder."""
    return kind(
        delivery=holding.delivery,
        marker=answer.marker,
        attempt=answer.attempt if isinstance(answer, Granted) else 0,
        thread_ts=answer.thread_ts,
        holding=holding,
        doubt=answer if isinstance(answer, Uncertain) else None,
    )


def _why(error: BaseException) -> str:
    """The code that the error gives as its `reason`, or else what kind of error it is."""
    reason = getattr(error, "reason", None)
    is_code = isinstance(reason, str) and _CODE.fullmatch(reason) is not None
    return str(reason) if is_code else type(error).__name__
