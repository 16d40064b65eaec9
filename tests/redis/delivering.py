"""One delivery on its way through the ledger: how calls are made, and steps that bring it there.

A call is only made by `run`, `twice` or `unchanged`, so that each test says which one it means.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from middleware import answers
from tests.redis.ledger_calls import TOKEN, Calls
from tests.redis.ledger_view import LedgerView, Snapshot

if TYPE_CHECKING:
    from middleware.keys import Delivery
    from middleware.ledger import Ledger
    from middleware.script import Call
    from middleware.stub_ledger import ManualClock

T = TypeVar("T")


class Rig(Calls):
    """A ledger, its clock, and one delivery in it, unknown at first; steps begin with that."""

    def __init__(self, ledger: Ledger, clock: ManualClock, delivery: Delivery) -> None:
        super().__init__(ledger, clock, delivery)
        self.timing = ledger.timing
        self.view = LedgerView(ledger)

    def run(self, call: Call[T]) -> T:
        return self.ledger.run(call)

    def twice(self, call: Call[T]) -> T:
        """Its reply is lost and it is asked again: the same answer, and nothing more is written."""
        first = self.run(call)
        after_first = self.snapshot()
        assert self.run(call) == first
        assert self.snapshot() == after_first
        return first

    def unchanged(self, call: Call[T], *, noted: str | None = None) -> T:
        """The answer of a call that writes nothing, but for an entry of the history if `noted`."""
        before = self.snapshot()
        answer = self.run(call)
        after = self.snapshot()
        if noted is not None:
            assert [entry.what for entry in after.history] == [
                *(entry.what for entry in before.history),
                noted,
            ]
            after = replace(after, history=before.history)
        assert after == before
        return answer

    def snapshot(self) -> Snapshot:
        return self.view.snapshot(self.delivery)

    def record(self) -> dict[str, str]:
        return self.view.record(self.delivery)

    def noted(self) -> list[str]:
        """What the history tells, without times and details."""
        return [entry.what for entry in self.snapshot().history]

    def told(self) -> list[str]:
        """The outcome events that everyone may follow."""
        return self.snapshot().told(self.delivery)

    def accepted(self, **changed: Any) -> None:  # noqa: ANN401 - any field of the acceptance
        assert self.run(self.accept(**changed)) == answers.Accepted()

    def claimed(self, token: str = TOKEN, **changed: Any) -> None:  # noqa: ANN401 - as above
        self.accepted(**changed)
        assert isinstance(self.run(self.claim(token)), answers.Granted)

    def sending(self, token: str = TOKEN, **changed: Any) -> None:  # noqa: ANN401 - as above
        self.claimed(token, **changed)
        assert isinstance(self.run(self.intend(token)), answers.Go)

    def uncertain(self, token: str = TOKEN, **changed: Any) -> None:  # noqa: ANN401 - as above
        self.sending(token, **changed)
        assert self.run(self.doubt(token)) == answers.Ok()

    def looking(self, token: str = TOKEN, **changed: Any) -> None:  # noqa: ANN401 - as above
        """The doubt is old enough, and `token` holds the claim to look."""
        self.uncertain(token, **changed)
        self.then_settled_down()
        assert isinstance(self.run(self.claim(token)), answers.Uncertain)

    def ended(self, outcome: str) -> None:
        """In a terminal state, TOKEN being the last that held it."""
        if outcome == "unproven":
            self.looking()
            assert self.run(self.give_up()) == answers.Ok()
            return
        expires_at_ms = self.clock.now_ms + self.timing.post_deadline_ms
        self.claimed(expires_at_ms=expires_at_ms)
        match outcome:
            case "sent":
                assert isinstance(self.run(self.intend()), answers.Go)
                assert self.run(self.settle_sent()) == answers.Ok()
            case "rejected":
                assert self.run(self.settle_rejected()) == answers.Ok()
            case "cancelled":
                assert self.run(self.cancel()) == answers.Ok()
            case "expired":
                self.clock.now_ms = expires_at_ms
                assert self.run(self.intend()) == answers.Settled("expired")

    def brought_to(self, place: str) -> None:
        """`place` is a state, "looking" or "none"."""
        match place:
            case "none":
                pass
            case "waiting":
                self.accepted()
            case "claimed":
                self.claimed()
            case "sending":
                self.sending()
            case "uncertain":
                self.uncertain()
            case "looking":
                self.looking()
            case _:
                self.ended(place)
        assert self.record().get("state", "none") == ("uncertain" if place == "looking" else place)

    def then_settled_down(self) -> None:
        """So much later that a POST just intended is visible, or never will be."""
        self.clock.advance(ms=self.timing.post_deadline_ms + self.timing.settle_delay_ms)
