"""The ledger's calls for one delivery, with defaults: a test says only what matters to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from middleware.ledger import Acceptance, Ledger
from middleware.operating import Order, mark_sent, redrive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from middleware import answers
    from middleware.keys import Delivery
    from middleware.operating import MarkAnswer, RedriveAnswer
    from middleware.script import Call
    from middleware.stub_ledger import ManualClock

TOKEN = "token-of-one"
OTHER = "token-of-other"
MARKER = "marker-1"
NEXT_MARKER = "marker-2"
ORDER = Order(by="ada@ops", why="the channel is back")
TARGET = {"channel": "C1", "team": "T1"}
RECEIPT = {"channel": "C1", "ts": "1700000000.000100"}
OTHER_RECEIPT = {"channel": "C1", "ts": "1700000000.000200"}
ACCEPTANCE = Acceptance(
    fingerprint="fingerprint-1",
    marker=MARKER,
    actor="send_message",
    queue="slack",
    body='{"text":"hello"}',
)


class Calls:
    """One method a transition, as the ledger has them; none of them is made here."""

    def __init__(self, ledger: Ledger, clock: ManualClock, delivery: Delivery) -> None:
        self.ledger = ledger
        self.clock = clock
        self.delivery = delivery

    def accept(self, **changed: Any) -> Call[answers.AcceptAnswer]:  # noqa: ANN401 - any field
        return self.ledger.accept(self.delivery, replace(ACCEPTANCE, **changed))

    def dispatch(
        self,
        message_id: str = "m1",
        *,
        thread_ts: str | None = None,
        create: Acceptance | None = None,
    ) -> Call[answers.DispatchAnswer]:
        message = f"encoded {message_id}"
        return self.ledger.dispatch(
            self.delivery,
            message_id=message_id,
            message=message,
            thread_ts=thread_ts,
            create=create,
        )

    def claim(
        self, token: str = TOKEN, *, lease_ms: int | None = None
    ) -> Call[answers.ClaimAnswer]:
        return self.ledger.claim(self.delivery, token=token, by="worker-1", lease_ms=lease_ms)

    def intend(
        self, token: str = TOKEN, *, target: Mapping[str, str] = TARGET
    ) -> Call[answers.IntendAnswer]:
        return self.ledger.intend(self.delivery, token=token, target=target)

    def settle_sent(
        self,
        token: str = TOKEN,
        *,
        receipt: Mapping[str, str] = RECEIPT,
        duplicates: Sequence[Mapping[str, str]] = (),
    ) -> Call[answers.SentAnswer]:
        return self.ledger.settle_sent(
            self.delivery, token=token, receipt=receipt, duplicates=duplicates
        )

    def settle_rejected(self, token: str = TOKEN) -> Call[answers.ReturnAnswer]:
        return self.ledger.settle_rejected(
            self.delivery, token=token, error="is_archived", reason="the channel is archived"
        )

    def postpone(
        self, token: str = TOKEN, *, delay_ms: int = 5_000, attempt_used: bool = False
    ) -> Call[answers.ReturnAnswer]:
        return self.ledger.postpone(
            self.delivery,
            token=token,
            reason="ratelimited",
            delay_ms=delay_ms,
            attempt_used=attempt_used,
        )

    def doubt(self, token: str = TOKEN) -> Call[answers.ReturnAnswer]:
        return self.ledger.doubt(self.delivery, token=token, why="timeout")

    def absent(
        self, token: str = TOKEN, *, read_begun_ms: int | None = None
    ) -> Call[answers.AbsentAnswer]:
        begun_ms = self.clock.now_ms if read_begun_ms is None else read_begun_ms
        return self.ledger.absent(self.delivery, token=token, read_begun_ms=begun_ms)

    def look_later(
        self, token: str = TOKEN, *, delay_ms: int = 15_000, completed: bool = True
    ) -> Call[answers.ReturnAnswer]:
        return self.ledger.look_later(
            self.delivery, token=token, delay_ms=delay_ms, completed=completed, why="lag"
        )

    def give_up(self, token: str = TOKEN) -> Call[answers.ReturnAnswer]:
        return self.ledger.give_up(
            self.delivery, token=token, error="missing_scope", reason="nobody may read there"
        )

    def cancel(self) -> Call[answers.CancelAnswer]:
        return self.ledger.cancel(self.delivery)

    def redrive(
        self, marker: str = NEXT_MARKER, *, post_again: bool = False
    ) -> Call[RedriveAnswer]:
        return redrive(self.ledger, self.delivery, ORDER, marker=marker, post_again=post_again)

    def mark_sent(self, *, receipt: Mapping[str, str] = RECEIPT) -> Call[MarkAnswer]:
        return mark_sent(self.ledger, self.delivery, ORDER, receipt=receipt)

    def sweep(self) -> Call[answers.SweepAnswer]:
        return self.ledger.sweep(self.delivery)

    def not_dispatched(self) -> Call[answers.ReturnAnswer]:
        return self.ledger.not_dispatched(self.delivery)


# Only who holds the claim may make these.
FENCED: dict[str, Callable[[Calls, str], Call[Any]]] = {
    "intend": Calls.intend,
    "settle_rejected": Calls.settle_rejected,
    "postpone": Calls.postpone,
    "doubt": Calls.doubt,
    "absent": Calls.absent,
    "look_later": Calls.look_later,
    "give_up": Calls.give_up,
}
