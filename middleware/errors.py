"""What the middleware refuses, each as a `MiddlewareError`: Dramatiq swallows any other exception
of a hook and goes on unguarded.
"""

from __future__ import annotations

from dramatiq.middleware import MiddlewareError


class DispatchRefused(MiddlewareError):
    """The message was not enqueued, and the ledger says why."""


class AlreadyDispatched(DispatchRefused):
    """A message for this delivery stands on the queue or is being worked on."""

    def __init__(self, message_id: str) -> None:
        super().__init__(f"already dispatched as message {message_id or '(not known)'}")
        self.message_id = message_id


class AlreadySettled(DispatchRefused):
    """The delivery has its outcome; nothing is left to do."""

    def __init__(self, outcome: str) -> None:
        super().__init__(f"already settled: {outcome}")
        self.outcome = outcome


class NotDueYet(DispatchRefused):
    """The ledger dispatches it by itself at `until_ms` (epoch, server clock)."""

    def __init__(self, until_ms: int) -> None:
        super().__init__(f"not due before {until_ms} ms since the epoch")
        self.until_ms = until_ms


class RequestUnknown(DispatchRefused):
    """No such request was accepted: accept it first, then nudge it."""


class ThreadConflict(DispatchRefused):
    """The delivery has another thread already, or it no longer waits."""

    def __init__(self, thread_ts: str) -> None:
        super().__init__(f"the delivery belongs to thread {thread_ts or '(none)'}")
        self.thread_ts = thread_ts


class PayloadRefused(DispatchRefused):
    """The actor message carries more, or other, than the reference to a delivery."""


class DelayRefused(DispatchRefused):
    """A guarded actor's message cannot be delayed by the broker: use send_at."""


class LedgerUnavailable(MiddlewareError):
    """The ledger did not answer, so nothing is known and nothing may run unguarded."""


class ReplicasBehind(LedgerUnavailable):
    """The ledger has written it, but too few replicas have: a failover could lose it."""


class StoreRefused(MiddlewareError):
    """The store is set up so that the promise cannot be kept; the sentence says what to change."""


# Whoever holds something that must be told waits for either to end: a store can be put right.
UNHEARD = (LedgerUnavailable, StoreRefused)


class GuardMisdeclared(MiddlewareError):
    """An actor's options contradict the guard; the sentence names the actor and the option."""


class TimingRefused(MiddlewareError):
    """The timing contract is broken; the sentence names the duration and what it must be.

    `duration` is a field of `Timing`, which is `ms` long; `must_be` leads on to `bound_ms`.
    """

    def __init__(
        self,
        duration: str,
        must_be: str,
        bound_ms: int,
        *,
        ms: float,
        why: str,
        actor_name: str | None = None,
    ) -> None:
        whose = "" if actor_name is None else f"actor {actor_name}: "
        super().__init__(f"{whose}{duration} must be {must_be} {bound_ms}, not {ms}: {why}")
        self.duration = duration
        self.must_be = must_be
        self.bound_ms = bound_ms
        self.ms = ms
        self.why = why


class ClaimUsedUp(MiddlewareError):
    """`perform` was called again: one claim makes at most one POST."""


class GuardFailed(MiddlewareError):
    """A hook of the guard failed in a way that nobody foresaw, so nothing was let through."""
