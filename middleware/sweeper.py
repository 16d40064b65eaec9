"""The sweeper dispatches again what is due and stands still, so that the queue may lose anything.

Any number may run: the script that says what to enqueue moves the due time on, so each repetition
has one sweeper. One that dies in between costs a window, never a delivery.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, assert_never

from dramatiq.common import current_millis
from dramatiq.message import Message

from middleware.answers import Enqueue, Make, Nothing, Settled
from middleware.errors import DelayRefused, DispatchRefused, LedgerUnavailable, PayloadRefused
from middleware.keys import Delivery
from middleware.outages import is_of_one, reaches_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dramatiq import Broker

    from middleware.answers import DueNow, SweepAnswer
    from middleware.delivery_key import DeliveryKey
    from middleware.ledger import Ledger
    from middleware.script import Call

log = logging.getLogger(__name__)

# Others may set an earlier due time than the one it sleeps for: so late it may notice.
LONGEST_SLEEP_S = 1.0
# Bounds one tenant's turn, and one reply.
BATCH = 100
# A worker that is told to end has other things to end too.
_LONGEST_STOP_S = 1.0


class Sweeper:
    """Sleeps until the next due time; `start` and `stop` belong to the worker's life."""

    def __init__(self, ledger: Ledger, broker: Broker) -> None:
        self._ledger = ledger
        self._broker = broker
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when it has ended, or soon: where a store or a broker stands still it is left
        behind, and ends by itself when that answers. It may enqueue one more message then.
        """
        self._stopping.set()
        self._thread.join(_LONGEST_STOP_S)
        if self._thread.is_alive():
            log.warning("sweep.left_behind")

    def sweep(self) -> int | None:
        """Dispatch everything due now; the next due time in ms from now, if there is one.

        Raises LedgerUnavailable; what was swept before that is dispatched.
        """
        ahead: list[int | None] = []
        for partition, due in enumerate(self._due_tenants()):
            if due is None:
                continue
            try:
                ahead += self._sweep_partition(due)
            except LedgerUnavailable as error:
                if reaches_all(self._ledger.store, error):
                    raise
                log.warning("sweep.waits partition=%d error=%s", partition, error)
        return min((each for each in ahead if each is not None), default=None)

    def _due_tenants(self) -> list[DueNow | None]:
        """Of each partition; None of one that cannot be asked."""
        partitions = range(self._ledger.keys.partitions)
        calls = [self._ledger.due_tenants(partition, limit=BATCH) for partition in partitions]
        try:
            return [*self._ledger.run_many(calls)]
        except LedgerUnavailable as error:
            if reaches_all(self._ledger.store, error):
                raise
        # Not in the handler, where each connection given back would count as interrupted.
        return [self._due_if_answered(partition, call) for partition, call in enumerate(calls)]

    def _due_if_answered(self, partition: int, call: Call[DueNow]) -> DueNow | None:
        try:
            return self._ledger.run(call)
        except LedgerUnavailable as error:
            log.warning("sweep.waits partition=%d error=%s", partition, error)
            return None

    def _sweep_partition(self, due: DueNow) -> Iterator[int | None]:
        moved = 0
        for tenant in due.members:
            if self._stopping.is_set():
                return
            with _holding_up_no_other(tenant):
                moved_of_tenant, next_ms = self._sweep_tenant(tenant)
                moved += moved_of_tenant
                yield next_ms
        yield _next_ms(due, moved)

    def _sweep_tenant(self, tenant: str) -> tuple[int, int | None]:
        """How many were moved on, and the next due time in ms from now; 0: maybe there are more."""
        due = self._ledger.run(self._ledger.due_deliveries(tenant, limit=BATCH))
        moved = 0
        for delivery in (Delivery(tenant, id_) for id_ in due.members):
            # Looked at before the script, so that what it moves on is enqueued too.
            if self._stopping.is_set():
                break
            with _holding_up_no_other(delivery):
                answer = self._ledger.run(self._ledger.sweep(delivery))
                moved += 1
                self._act(delivery, answer)
        return moved, _next_ms(due, moved)

    def _act(self, delivery: Delivery, answer: SweepAnswer) -> None:
        match answer:
            case Enqueue(message=encoded):
                # Dispatched now: by its first time an age limit would drop it for ever.
                message = replace(
                    Message.decode(encoded.encode()), message_timestamp=current_millis()
                )
                self._enqueue(delivery, message)
            case Make():
                made = self._make(delivery, answer)
                if made is None:
                    # Another worker can: its window must not be a repetition's.
                    self._ledger.run(self._ledger.not_dispatched(delivery))
                else:
                    self._enqueue(delivery, made)
            case Settled(outcome=outcome):
                log.warning("sweep.settled delivery=%s outcome=%s", delivery, outcome)
            case Nothing():
                pass
            case unreachable:
                assert_never(unreachable)

    def _make(self, delivery: Delivery, make: Make) -> Message[Any] | None:
        actor = self._broker.actors.get(make.actor)
        key: DeliveryKey | None = actor.options.get("dispatch_once") if actor else None
        if key is None:
            log.error(
                "sweep.actor_unknown delivery=%s actor=%s: declare it in this worker, "
                "or no worker can send what was never dispatched",
                delivery,
                make.actor,
            )
            return None
        return Message(
            queue_name=make.queue,
            actor_name=make.actor,
            args=(),
            kwargs=key.arguments_for(delivery, make.thread_ts),
            options={},
        )

    def _enqueue(self, delivery: Delivery, message: Message[Any]) -> None:
        try:
            self._broker.enqueue(message)
        except (PayloadRefused, DelayRefused) as refusal:
            # Each repetition will be refused like this one.
            log.error("sweep.never_enqueued delivery=%s why=%s", delivery, refusal)
        except DispatchRefused as refusal:
            log.info("sweep.refused delivery=%s why=%s", delivery, refusal)
        except Exception as error:  # noqa: BLE001 - did not happen, or unknown: it stays due
            why = type(error).__name__
            log.warning("sweep.not_enqueued delivery=%s error=%s", delivery, why)
            self._ledger.run(self._ledger.not_dispatched(delivery))
        else:
            log.info("sweep.enqueued delivery=%s message_id=%s", delivery, message.message_id)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._ledger.receipts.tell(self._ledger.run, self._ledger.store)
                next_ms = self.sweep()
            except LedgerUnavailable as error:
                log.warning("sweep.waits error=%s", error)
                next_ms = None
            except Exception:
                log.exception("sweep.failed")
                next_ms = None
            sleep_s = LONGEST_SLEEP_S if next_ms is None else min(next_ms / 1_000, LONGEST_SLEEP_S)
            self._stopping.wait(sleep_s)


@contextmanager
def _holding_up_no_other(what: Delivery | str) -> Iterator[None]:
    """Nothing is lost: what failed is still due, or will be when its window ends."""
    try:
        yield
    except Exception as error:
        if isinstance(error, LedgerUnavailable) and not is_of_one(error):
            raise
        # The text of any other error may hold an argument.
        why = error if isinstance(error, LedgerUnavailable) else type(error).__name__
        log.error("sweep.failed of=%s error=%s", what, why)


def _next_ms(due: DueNow, moved: int) -> int | None:
    """The next due time in ms from now; 0 where there may be more than was asked for."""
    if moved and len(due.members) == BATCH:
        return 0
    return None if due.next_ms is None else due.next_ms - due.now_ms
