"""`SendLock`: a guarded actor runs only while it holds the claim on its delivery.

It wraps the actor's function instead of using hooks: what hooks raise is swallowed, and a message
is acknowledged whatever `after_process_message` could not write.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
import secrets
import socket
import threading
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, assert_never

from dramatiq.asyncio import async_to_sync, get_event_loop_thread
from dramatiq.middleware import AsyncIO, Middleware, Shutdown

from middleware.actor_options import check_options, lease_of
from middleware.answers import Granted, Lost, Settled, Uncertain, Unknown, Wait
from middleware.backoff import delivery_delay_ms, look_delay_ms
from middleware.claim import AnyClaim, AsyncClaim, SyncClaim, claim_of
from middleware.driving import Ask, Flow, Invoke, adrive, drive
from middleware.errors import UNHEARD, GuardMisdeclared, LedgerUnavailable
from middleware.holding import Holding
from middleware.refusing import refusing, refusing_boot
from middleware.wrapping import is_wrapped, original_function, put_around

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq import Actor, Broker, Worker

    from middleware.answers import ClaimAnswer
    from middleware.delivery_key import DeliveryKey
    from middleware.keys import Delivery
    from middleware.ledger import Ledger

log = logging.getLogger(__name__)

_current: ContextVar[AnyClaim] = ContextVar("current_claim")
_OTHER_KIND = "current_claim is for plain functions, current_async_claim for coroutines"
# Enough that no two claims ever share one, whatever a roll-back of the store takes back.
_TOKEN_BYTES = 16


def current_claim() -> SyncClaim:
    """The claim that the running actor holds; LookupError outside a guarded actor."""
    claim = _current.get()
    if not isinstance(claim, SyncClaim):
        raise LookupError(_OTHER_KIND)  # noqa: TRY004 - documented, as of a missing claim
    return claim


def current_async_claim() -> AsyncClaim:
    """As `current_claim`, in a coroutine actor."""
    claim = _current.get()
    if not isinstance(claim, AsyncClaim):
        raise LookupError(_OTHER_KIND)  # noqa: TRY004 - documented, as of a missing claim
    return claim


class SendLock(Middleware):
    """Guards actors that have the option `send_lock=DeliveryKey(...)`; `lease_ms` is optional."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._workers: set[Worker] = set()
        self._has_stopped = False

    @property
    def actor_options(self) -> set[str]:
        return {"send_lock", "lease_ms"}

    @refusing
    def before_declare_actor(self, broker: Broker, actor: Actor[Any, Any]) -> None:
        """Check the options and wrap: what `after_declare_actor` raises would be swallowed."""
        if actor.options.get("send_lock") is None:
            return
        key = check_options(broker, actor, self.ledger.timing)
        if not is_wrapped(actor):
            wrap(actor, key)

    @refusing_boot
    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Raise what would break the promise: a bad store, or an actor that would run unguarded.

        A store that cannot be reached is waited for: until then no guarded actor runs.
        """
        self._workers.add(worker)
        try:
            self.ledger.admit()
        except LedgerUnavailable as error:
            log.warning("boot.ledger_unavailable error=%s", error)
        for actor in broker.actors.values():
            if actor.options.get("send_lock") is not None and not is_wrapped(actor):
                msg = f"actor {actor.actor_name} has send_lock but was declared without SendLock"
                raise GuardMisdeclared(msg)
            if is_wrapped(actor) and inspect.iscoroutinefunction(original_function(actor)):
                self._check_event_loop(broker, actor)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self._workers.discard(worker)
        self._has_stopped = True

    @property
    def is_draining(self) -> bool:
        """Whether whoever still runs an actor was told to end."""
        return self._has_stopped and not self._workers

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Tell what is still in hand, and close the event loop's connections while it runs."""
        self.ledger.receipts.tell(self.ledger.run, self.ledger.store)
        loop_thread = get_event_loop_thread()
        if loop_thread is not None:
            loop_thread.run_coroutine(self.ledger.store.aclose())

    def _check_event_loop(self, broker: Broker, actor: Actor[Any, Any]) -> None:
        """What is added first starts first and ends last."""
        before = broker.middleware[: broker.middleware.index(self)]
        if not any(isinstance(middleware, AsyncIO) for middleware in before):
            msg = f"actor {actor.actor_name} is a coroutine: add AsyncIO before SendLock"
            raise GuardMisdeclared(msg)


def wrap(actor: Actor[Any, Any], key: DeliveryKey) -> None:
    """Put the claim around the actor's function; its ledger is looked up at each call, so the
    actor may be declared again on another broker.
    """
    function = original_function(actor)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def guarded_coroutine(*args: object, **kwargs: object) -> None:
            lock = _lock_of(actor)
            flow = _guard(lock, actor, key, AsyncClaim, Invoke(function, args, kwargs))
            await adrive(flow, lock.ledger)

        wrapped: Callable[..., Any] = async_to_sync(guarded_coroutine)
    else:

        @functools.wraps(function)
        def guarded_function(*args: object, **kwargs: object) -> None:
            lock = _lock_of(actor)
            flow = _guard(lock, actor, key, SyncClaim, Invoke(function, args, kwargs))
            drive(flow, lock.ledger)

        wrapped = guarded_function
    put_around(actor, wrapped)


def _guard(
    lock: SendLock,
    actor: Actor[Any, Any],
    key: DeliveryKey,
    kind: type[AnyClaim],
    run: Invoke,
) -> Flow[None]:
    ledger = lock.ledger
    delivery, _ = key.read(original_function(actor), run.args, run.kwargs or {})
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    lease_ms = lease_of(actor, ledger.timing)
    try:
        answer: ClaimAnswer = yield Ask(
            ledger.claim(delivery, token=token, by=_worker_name(), lease_ms=lease_ms)
        )
    except UNHEARD as error:
        # The message may go: the record brings it back.
        log.warning("claim.ledger_unavailable delivery=%s error=%s", delivery, error)
        yield from _give_back_unheard(ledger, delivery, token)
        return
    match answer:
        case Granted() | Uncertain():
            holding = Holding(
                delivery=delivery,
                token=token,
                lease_ms=lease_ms,
                returns=answer.returns,
                ledger=ledger,
            )
            claim = claim_of(kind, answer, holding)
        case Wait() | Settled():
            is_alarming = answer == Settled("unproven")
            level = logging.CRITICAL if is_alarming else logging.INFO
            log.log(level, "claim delivery=%s answer=%s", delivery, answer)
            return
        case Unknown():
            log.error("claim.unknown delivery=%s: no such request was accepted", delivery)
            return
        case unreachable:
            assert_never(unreachable)

    reset = _current.set(claim)
    try:
        yield run
    except GeneratorExit:
        # Its event loop ended and nobody drives on: the lease's end tells the ledger.
        raise
    except LedgerUnavailable:
        # A store that is away is waited for, here as at the intent; only failing uses attempts.
        yield from claim.abandon("ledger_unavailable", attempt_used=False)
        raise
    except BaseException as error:
        # A worker that is told to end says nothing about the request.
        is_interrupted = lock.is_draining and not isinstance(error, Exception)
        is_drained = is_interrupted or isinstance(error, Shutdown)
        yield from claim.abandon(type(error).__name__, attempt_used=not is_drained)
        raise
    else:
        yield from claim.abandon("not_performed")
    finally:
        # Thrown away, it ends in another context, where nothing was set.
        with suppress(ValueError):
            _current.reset(reset)


def _give_back_unheard(ledger: Ledger, delivery: Delivery, token: str) -> Flow[None]:
    """The claim may be held by nobody who knows: asked once, for the lease's end frees it too, but
    then as an attempt.
    """
    reason = "ledger_unavailable"
    postponing = ledger.postpone(
        delivery,
        token=token,
        reason=reason,
        delay_ms=delivery_delay_ms(0, None),
        attempt_used=False,
    )
    with suppress(*UNHEARD):
        if (yield Ask(postponing)) == Lost():
            # It may have been a claim to look, and not to have looked is no look that ended badly.
            delay_ms = look_delay_ms(0, None)
            yield Ask(
                ledger.look_later(
                    delivery, token=token, delay_ms=delay_ms, completed=False, why=reason
                )
            )


def _lock_of(actor: Actor[Any, Any]) -> SendLock:
    for middleware in actor.broker.middleware:
        if isinstance(middleware, SendLock):
            return middleware
    msg = f"actor {actor.actor_name} is guarded, but its broker has no SendLock: it does not run"
    raise GuardMisdeclared(msg)


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_native_id()}"
