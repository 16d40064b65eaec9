"""`DispatchOnce`: one message on the queue for a delivery; what is refused is told why.

The refusal happens before the enqueue, by the ledger's state and not by a key's lifetime, so a
backlog or an outage of any length admits no second message.
"""

from __future__ import annotations

import dataclasses
import logging
import secrets
from typing import TYPE_CHECKING, Any, assert_never

from dramatiq.middleware import Middleware

from middleware.answers import (
    Deferred,
    DispatchAnswer,
    DispatchedBefore,
    First,
    OtherThread,
    Settled,
    Unknown,
)
from middleware.delivery_key import DeliveryKey, actor_of
from middleware.errors import (
    AlreadyDispatched,
    AlreadySettled,
    DelayRefused,
    GuardMisdeclared,
    NotDueYet,
    PayloadRefused,
    RequestUnknown,
    ThreadConflict,
)
from middleware.ledger import DEFAULT_MAX_ATTEMPTS, Acceptance
from middleware.presence import Presence
from middleware.refusing import refusing, refusing_boot
from middleware.sweeper import Sweeper
from middleware.wrapping import original_function

if TYPE_CHECKING:
    from dramatiq import Actor, Broker, Worker
    from dramatiq.message import Message

    from middleware.keys import Delivery
    from middleware.ledger import Ledger

log = logging.getLogger(__name__)

_BROKERS_OWN_ID = "redis_message_id"
# What brokers add by themselves. Anything else could postpone, repeat or carry data past the guard.
_PERMITTED_OPTIONS = frozenset({_BROKERS_OWN_ID, "broker_priority"})
# 128 bits: names the delivery in the provider, and cannot be guessed or met twice.
_MARKER_BYTES = 16


def new_marker() -> str:
    """A random name for one acceptance, safe in URLs and in Slack's metadata."""
    return secrets.token_urlsafe(_MARKER_BYTES)


class DispatchOnce(Middleware):
    """Guards actors that have the option `dispatch_once=DeliveryKey(...)`.

    It also runs the sweeper in each worker, which dispatches again what stands still, and has the
    worker say that it lives.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._attending: dict[Worker, tuple[Sweeper, Presence]] = {}

    @property
    def actor_options(self) -> set[str]:
        return {"dispatch_once"}

    @refusing
    def before_declare_actor(self, broker: Broker, actor: Actor[Any, Any]) -> None:
        """Raise GuardMisdeclared: here, since what `after_declare_actor` raises is swallowed."""
        key = actor.options.get("dispatch_once")
        if key is None:
            return
        if not isinstance(key, DeliveryKey):
            msg = f"actor {actor.actor_name}: dispatch_once must be a DeliveryKey"
            raise GuardMisdeclared(msg)
        key.check_signature(actor, original_function(actor))

    @refusing
    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        """Raise a MiddlewareError unless this message may go onto the queue."""
        actor = actor_of(broker, message)
        key: DeliveryKey | None = actor.options.get("dispatch_once") if actor else None
        if actor is None or key is None:
            return
        refuse_postponement(message, delay)
        delivery, thread_ts = key.read(original_function(actor), message.args, message.kwargs)
        options = {
            name: value for name, value in message.options.items() if name != _BROKERS_OWN_ID
        }
        kept = dataclasses.replace(message, options=options)
        answer = self.ledger.run(
            self.ledger.dispatch(
                delivery,
                message_id=message.message_id,
                message=kept.encode().decode(),
                thread_ts=thread_ts,
                create=None if key.needs_acceptance else _creation(message),
            )
        )
        log.info("dispatch delivery=%s answer=%s", delivery, answer)
        _raise_refusal(delivery, answer)

    @refusing_boot
    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Raise GuardMisdeclared for an actor that nothing would settle: the sweeper would
        dispatch it over and over.
        """
        for actor in broker.actors.values():
            options = actor.options
            if options.get("dispatch_once") is not None and options.get("send_lock") is None:
                msg = f"actor {actor.actor_name} has dispatch_once, so it needs send_lock too"
                raise GuardMisdeclared(msg)

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        attending = (Sweeper(self.ledger, broker), Presence(self.ledger))
        self._attending[worker] = attending
        for each in attending:
            each.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        for each in self._attending.pop(worker, ()):
            each.stop()


def refuse_postponement(message: Message[Any], delay: int | None) -> None:
    """The ledger alone schedules, so the broker may neither delay nor repeat a guarded message."""
    if delay is not None or "eta" in message.options:
        msg = f"{message.actor_name} cannot be delayed by the broker: use send_at"
        raise DelayRefused(msg)
    unknown = set(message.options) - _PERMITTED_OPTIONS
    if unknown:
        msg = f"{message.actor_name} takes no message options, but got {', '.join(sorted(unknown))}"
        raise PayloadRefused(msg)


def _creation(message: Message[Any]) -> Acceptance:
    return Acceptance(
        fingerprint="",
        marker=new_marker(),
        actor=message.actor_name,
        queue=message.queue_name,
        body="",
        max_attempts=DEFAULT_MAX_ATTEMPTS,
    )


def _raise_refusal(delivery: Delivery, answer: DispatchAnswer) -> None:
    match answer:
        case First():
            return
        case DispatchedBefore(message_id=message_id):
            raise AlreadyDispatched(message_id)
        case Settled(outcome=outcome):
            raise AlreadySettled(outcome)
        case Deferred(until_ms=until_ms):
            raise NotDueYet(until_ms)
        case OtherThread(thread_ts=thread_ts):
            raise ThreadConflict(thread_ts)
        case Unknown():
            msg = f"no request {delivery} was accepted"
            raise RequestUnknown(msg)
        case unreachable:
            assert_never(unreachable)
