"""What an actor may not ask for beside its guard; refused in words when it is declared.

Left standing, each of these options would retry, drop or report a message past the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dramatiq.middleware.time_limit import TimeLimit

from middleware.delivery_key import DeliveryKey
from middleware.errors import GuardMisdeclared
from middleware.wrapping import original_function

if TYPE_CHECKING:
    from dramatiq import Actor, Broker

    from middleware.timing import Timing

_CONTRADICTIONS = {
    "retry_when": "the ledger alone schedules",
    "throws": "the ledger alone schedules",
    "on_retry_exhausted": "the ledger alone schedules",
    "max_age": "a delivery ends when its own time runs out",
    # A message is done, without an exception, also when its delivery waits or is in doubt.
    "on_success": "only the ledger's outcome tells what was sent",
    "on_failure": "only the ledger's outcome tells what was sent",
}


def check_options(broker: Broker, actor: Actor[Any, Any], timing: Timing) -> DeliveryKey:
    """The actor's key. Raises GuardMisdeclared or TimingRefused; fixes `max_retries` at 0."""
    name, options = actor.actor_name, actor.options
    key = options["send_lock"]
    if not isinstance(key, DeliveryKey):
        msg = f"actor {name}: send_lock must be a DeliveryKey"
        raise GuardMisdeclared(msg)
    if options.get("dispatch_once") != key:
        msg = f"actor {name}: send_lock and dispatch_once must name the same delivery"
        raise GuardMisdeclared(msg)
    key.check_signature(actor, original_function(actor))
    for option, reason in _CONTRADICTIONS.items():
        if options.get(option) is not None:
            msg = f"actor {name}: {option} has no place beside send_lock, {reason}"
            raise GuardMisdeclared(msg)
    if options.setdefault("max_retries", 0) != 0:
        msg = f"actor {name}: max_retries must be 0, the ledger alone schedules"
        raise GuardMisdeclared(msg)
    _check_times(broker, actor, timing)
    return key


def lease_of(actor: Actor[Any, Any], timing: Timing) -> int:
    """In milliseconds."""
    lease_ms: int = actor.options.get("lease_ms", timing.lease_ms)
    return lease_ms


def _check_times(broker: Broker, actor: Actor[Any, Any], timing: Timing) -> None:
    lease_ms = lease_of(actor, timing)
    if not isinstance(lease_ms, int):
        msg = f"actor {actor.actor_name}: lease_ms must be whole milliseconds, not {lease_ms!r}"
        raise GuardMisdeclared(msg)
    timing.check_lease(lease_ms)
    time_limit_ms = actor.options.get("time_limit", _default_time_limit_ms(broker))
    if time_limit_ms is not None:
        timing.check_time_limit(
            lease_ms=lease_ms, time_limit_ms=time_limit_ms, actor_name=actor.actor_name
        )


def _default_time_limit_ms(broker: Broker) -> float | None:
    """Infinite where there is no limit; None where nothing would enforce one."""
    for middleware in broker.middleware:
        if isinstance(middleware, TimeLimit):
            return middleware.time_limit
    return None
