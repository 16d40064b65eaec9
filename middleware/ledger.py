"""The ledger: the truth about every delivery. One method a transition, one script a method.

A method makes a call; `run` or `arun` carries it out. Every transition happens on the server's
clock, in the tenant's slot, and may safely be asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from middleware import replies
from middleware.admission import Admission
from middleware.answers import mapping_to_text
from middleware.errors import LedgerUnavailable
from middleware.receipts_in_hand import ReceiptsInHand
from middleware.script import Call, Reply, Script
from middleware.store import EpochChanged
from middleware.timing import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from middleware import answers
    from middleware.keys import Delivery, Keys
    from middleware.store import Store
    from middleware.timing import Timing

T = TypeVar("T")

# A backlog is not enqueued over and over: the repetitions of an unclaimed dispatch thin out.
LONGEST_WINDOW_MS = HOUR_MS
# Crashes and exceptions before the intent, and proven absences, use attempts; waiting does not.
DEFAULT_MAX_ATTEMPTS = 8
# As many in a row: a delivery whose look kills its worker ends, for a person to look at.
MOST_UNHEARD_LOOKS = 8
# One failover after another may strike the same call; a store that never settles is no store.
_MOST_EPOCHS = 3
_RESTLESS = "another server answers each time"


def _transition(name: str) -> Script:
    return Script.load("middleware", name, prelude="record")


_ACCEPT = _transition("accept")
_DISPATCH = _transition("dispatch")
_CLAIM = _transition("claim")
_INTEND = _transition("intend")
_SETTLE_SENT = _transition("settle_sent")
_SETTLE_REJECTED = _transition("settle_rejected")
_POSTPONE = _transition("postpone")
_DOUBT = _transition("doubt")
_ABSENT = _transition("absent")
_LOOK_LATER = _transition("look_later")
_GIVE_UP = _transition("give_up")
_CANCEL = _transition("cancel")
_SWEEP = _transition("sweep")
_NOT_DISPATCHED = _transition("not_dispatched")
_DUE = Script.load("middleware", "due")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What `accept` records of a request; `body` is opaque to the ledger.

    `marker` is random and new for each call, so that a repeated call knows its own record.
    `not_before_ms` 0 means at once, `expires_at_ms` 0 the default after it.
    """

    fingerprint: str
    marker: str
    actor: str
    queue: str
    body: str
    not_before_ms: int = 0
    expires_at_ms: int = 0
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    priority: str = "normal"
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Records of dispatch, claims and outcome, in a store.

    `wait_replicas`: so many replicas must have an acceptance or a person's order before it is
    answered, and an intent before its POST is made.
    """

    store: Store
    keys: Keys
    timing: Timing
    wait_replicas: int = 0
    receipts: ReceiptsInHand = field(
        default_factory=ReceiptsInHand, init=False, repr=False, compare=False
    )
    _admission: Admission = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        admission = Admission(self.store, self.keys, self.timing)
        object.__setattr__(self, "_admission", admission)

    def admit(self) -> None:
        """Raise StoreRefused unless the store can keep the promise; `run` asks by itself."""
        self._admission.ensure()

    def run(self, call: Call[T]) -> T:
        """Raise LedgerUnavailable when the store did not answer: nothing is known then."""
        return self._in_this_epoch(lambda: self.store.run(call))

    async def arun(self, call: Call[T]) -> T:
        """As `run`."""
        for _ in range(_MOST_EPOCHS):
            await self._admission.aensure()
            try:
                return await self.store.arun(call)
            except EpochChanged:
                self._admission.withdraw()
        raise LedgerUnavailable(_RESTLESS)

    def run_many(self, calls: Sequence[Call[T]]) -> list[T]:
        """As `Store.run_many`; in a new epoch all are asked again."""
        return self._in_this_epoch(lambda: self.store.run_many(calls))

    def accept(self, delivery: Delivery, acceptance: Acceptance) -> Call[answers.AcceptAnswer]:
        arguments = (
            acceptance.fingerprint,
            acceptance.marker,
            acceptance.actor,
            acceptance.queue,
            acceptance.not_before_ms,
            acceptance.expires_at_ms,
            self.timing.expires_after_ms,
            self.timing.dispatch_window_ms,
            acceptance.max_attempts,
            acceptance.priority,
            acceptance.thread_ts or "",
            acceptance.body,
        )
        return self.kept(self.transition(_ACCEPT, delivery, replies.accept, *arguments))

    def dispatch(
        self,
        delivery: Delivery,
        *,
        message_id: str,
        message: str,
        thread_ts: str | None = None,
        create: Acceptance | None = None,
    ) -> Call[answers.DispatchAnswer]:
        """`create` makes the record of an actor that needs no acceptance."""
        creation: tuple[str | int, ...] = ("", "", "", 0, 0)
        if create is not None:
            creation = (
                create.actor,
                create.queue,
                create.marker,
                self.timing.expires_after_ms,
                create.max_attempts,
            )
        window_ms = self.timing.dispatch_window_ms
        arguments = (message_id, message, window_ms, thread_ts or "", *creation)
        return self.transition(_DISPATCH, delivery, replies.dispatch, *arguments)

    def claim(
        self, delivery: Delivery, *, token: str, by: str, lease_ms: int | None = None
    ) -> Call[answers.ClaimAnswer]:
        arguments = (token, lease_ms or self.timing.lease_ms, by, MOST_UNHEARD_LOOKS)
        return self.transition(_CLAIM, delivery, replies.claim, *arguments)

    def intend(
        self,
        delivery: Delivery,
        *,
        token: str,
        target: Mapping[str, str],
        lease_ms: int | None = None,
    ) -> Call[answers.IntendAnswer]:
        timing = self.timing
        arguments = (
            token,
            mapping_to_text(target),
            lease_ms or timing.lease_ms,
            timing.post_deadline_ms,
            timing.settle_delay_ms,
        )
        decode = replies.intend(timing.post_deadline_ms)
        return self.kept(self.transition(_INTEND, delivery, decode, *arguments))

    def settle_sent(
        self,
        delivery: Delivery,
        *,
        token: str,
        receipt: Mapping[str, str],
        duplicates: Sequence[Mapping[str, str]] = (),
    ) -> Call[answers.SentAnswer]:
        """What becomes of `receipt`; `duplicates` are further posts, each of them alerted."""
        receipts = [mapping_to_text(each) for each in (receipt, *duplicates)]
        count = len(receipts)
        return self.transition(_SETTLE_SENT, delivery, replies.sent, token, count, *receipts)

    def settle_rejected(
        self, delivery: Delivery, *, token: str, error: str, reason: str
    ) -> Call[answers.ReturnAnswer]:
        return self.transition(_SETTLE_REJECTED, delivery, replies.returned, token, error, reason)

    def postpone(
        self, delivery: Delivery, *, token: str, reason: str, delay_ms: int, attempt_used: bool
    ) -> Call[answers.ReturnAnswer]:
        """Nothing was posted; `attempt_used` when that was a failure, not a wait."""
        used = "used" if attempt_used else "given back"
        return self.transition(_POSTPONE, delivery, replies.returned, token, reason, delay_ms, used)

    def doubt(self, delivery: Delivery, *, token: str, why: str) -> Call[answers.ReturnAnswer]:
        return self.transition(_DOUBT, delivery, replies.returned, token, why)

    def absent(
        self,
        delivery: Delivery,
        *,
        token: str,
        read_begun_ms: int,
        lease_ms: int | None = None,
    ) -> Call[answers.AbsentAnswer]:
        """`read_begun_ms` on the server's clock: the time of the claim that looked."""
        lease_ms = lease_ms or self.timing.lease_ms
        return self.transition(_ABSENT, delivery, replies.absent, token, read_begun_ms, lease_ms)

    def look_later(
        self, delivery: Delivery, *, token: str, delay_ms: int, completed: bool, why: str
    ) -> Call[answers.ReturnAnswer]:
        kind = "completed" if completed else "failed"
        limit_ms = self.timing.reconcile_limit_ms
        arguments = (token, delay_ms, kind, why, limit_ms)
        return self.transition(_LOOK_LATER, delivery, replies.returned, *arguments)

    def give_up(
        self, delivery: Delivery, *, token: str, error: str, reason: str
    ) -> Call[answers.ReturnAnswer]:
        return self.transition(_GIVE_UP, delivery, replies.returned, token, error, reason)

    def cancel(
        self, delivery: Delivery, *, by: str = "", why: str = ""
    ) -> Call[answers.CancelAnswer]:
        """`by` and `why` are for the history, where a person asks."""
        return self.kept(self.transition(_CANCEL, delivery, replies.cancel, by, why))

    def sweep(self, delivery: Delivery) -> Call[answers.SweepAnswer]:
        window_ms = self.timing.dispatch_window_ms
        longest_ms = max(window_ms, LONGEST_WINDOW_MS)
        return self.transition(_SWEEP, delivery, replies.sweep, window_ms, longest_ms)

    def not_dispatched(self, delivery: Delivery) -> Call[answers.ReturnAnswer]:
        """What `sweep` said could not be enqueued: its window was not a repetition's."""
        window_ms = self.timing.dispatch_window_ms
        return self.transition(_NOT_DISPATCHED, delivery, replies.returned, window_ms)

    def due_tenants(self, partition: int, *, limit: int) -> Call[answers.DueNow]:
        names = (self.keys.tenants(partition), self.keys.epoch(partition))
        return Call(_DUE, names, (limit,), replies.due)

    def due_deliveries(self, tenant: str, *, limit: int) -> Call[answers.DueNow]:
        return Call(_DUE, (self.keys.due(tenant),), (limit,), replies.due)

    def transition(
        self,
        script: Script,
        delivery: Delivery,
        decode: Callable[[Reply], T],
        *arguments: str | int,
    ) -> Call[T]:
        """What asks one script, with what `record.lua` needs, about one delivery."""
        keys = self.keys
        partition = keys.partition_of(delivery.tenant)
        names = (
            keys.delivery(delivery),
            keys.history(delivery),
            keys.request(delivery),
            keys.due(delivery.tenant),
            keys.tenants(partition),
            keys.counts(partition),
            keys.outcomes(partition),
            keys.epoch(partition),
            keys.requests(partition),
        )
        common = (delivery.tenant, delivery.id, self.timing.retention_ms)
        return Call(script, names, (*common, *arguments), decode)

    def kept(self, call: Call[T]) -> Call[T]:
        """The call whose answer is given only once the replicas have what it wrote."""
        return replace(call, replicas=self.wait_replicas)

    def _in_this_epoch(self, run: Callable[[], T]) -> T:
        for _ in range(_MOST_EPOCHS):
            self.admit()
            try:
                return run()
            except EpochChanged:
                self._admission.withdraw()
        raise LedgerUnavailable(_RESTLESS)
