"""How an actor's arguments name the delivery they are for; they may carry nothing else.

The reference is all that reaches the queue, so no secret and no text can.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from middleware.errors import GuardMisdeclared, PayloadRefused
from middleware.keys import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dramatiq import Actor, Broker
    from dramatiq.broker import MessageProxy
    from dramatiq.message import Message

Arguments = Mapping[str, Any]

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryKey:
    """The value of the actor options `dispatch_once` and `send_lock`.

    `tenant` and `id` are names of arguments of the actor, `thread` of an optional one that a
    later message may still set. With `needs_acceptance` a message for a request that was never
    accepted is refused; without it the first message makes the record. `payload` raises
    ValueError for arguments it does not like.

    All guarded actors of a ledger share one space of deliveries: the same tenant and id name the
    same delivery, whichever actor sends it.
    """

    tenant: str
    id: str
    thread: str | None = None
    needs_acceptance: bool = False
    payload: Callable[[Arguments], object] | None = None

    def check_signature(self, actor: Actor[Any, Any], function: Callable[..., Any]) -> None:
        """Raise GuardMisdeclared unless the actor has the arguments that name its delivery, and no
        others that a message made from an acceptance would lack.
        """
        parameters = _signature(function).parameters
        for name in (self.tenant, self.id, self.thread):
            if name is not None and name not in parameters:
                msg = f"actor {actor.actor_name} has no argument {name!r} for its delivery key"
                raise GuardMisdeclared(msg)
        if not self.needs_acceptance:
            return
        try:
            _signature(function).bind(**self.arguments_for(Delivery("", ""), None))
        except TypeError as error:
            msg = (
                f"actor {actor.actor_name} takes more than its delivery key names ({error}): "
                "no message could be made for what was accepted"
            )
            raise GuardMisdeclared(msg) from error

    def read(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Delivery, str | None]:
        """The delivery and the thread that these arguments name.

        Raises PayloadRefused when they do not fit the function, or carry more than they may.
        """
        try:
            bound = _signature(function).bind(*args, **kwargs)
        except TypeError as error:
            msg = f"these arguments are not a reference to a delivery: {error}"
            raise PayloadRefused(msg) from error
        try:
            if self.payload is not None:
                self.payload(bound.arguments)
        except ValueError:
            msg = "these arguments are not a reference to a delivery, says its payload check"
            # The check's own words may hold what the message should not carry.
            raise PayloadRefused(msg) from None
        bound.apply_defaults()
        arguments = bound.arguments
        tenant, key = arguments[self.tenant], arguments[self.id]
        if not (_is_word(tenant) and _is_word(key)):
            msg = f"{self.tenant} and {self.id} must be words that name a delivery"
            raise PayloadRefused(msg)
        # Keys join the two by a colon: with one in the tenant they could name another's delivery.
        if ":" in tenant:
            msg = f"{self.tenant} must not contain a colon"
            raise PayloadRefused(msg)
        thread = arguments.get(self.thread) if self.thread is not None else None
        if not (thread is None or isinstance(thread, str)):
            msg = f"{self.thread} must be a word, or nothing"
            raise PayloadRefused(msg)
        return Delivery(tenant, key), thread

    def arguments_for(self, delivery: Delivery, thread_ts: str | None) -> dict[str, str]:
        """Keyword arguments of a message for this delivery."""
        arguments = {self.tenant: delivery.tenant, self.id: delivery.id}
        if self.thread is not None and thread_ts is not None:
            arguments[self.thread] = thread_ts
        return arguments


def actor_of(broker: Broker, message: Message[Any] | MessageProxy) -> Actor[Any, Any] | None:
    """None for an actor this process did not declare: then its guard runs where it is declared."""
    return broker.actors.get(message.actor_name)


def _is_word(name: object) -> bool:
    """Half of a surrogate pair can be in no key: no ledger will ever hold such a delivery."""
    return isinstance(name, str) and name != "" and _SURROGATE.search(name) is None


# Read once for each actor: it is asked for with every message.
_signature = lru_cache(maxsize=256)(inspect.signature)
