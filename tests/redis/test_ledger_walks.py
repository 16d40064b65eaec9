from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from middleware.answers import Go, Granted, Reclaimed, StrayPost, Uncertain, Wait
from middleware.keys import Delivery
from middleware.stub_ledger import StubLedger
from middleware.timing import HOUR_MS, SECOND_MS
from tests.redis.ledger_view import OPEN, TERMINAL
from tests.redis.walking import Worker, World

if TYPE_CHECKING:
    from collections.abc import Mapping

# So many and so long take seconds.
WALKS = settings(max_examples=60, stateful_step_count=50)
# Short enough to be reached within a walk.
LIFE_MS, MOST_ATTEMPTS = HOUR_MS, 3
# What is open must have ended when it was due so often, and somebody worked on it each time.
MOST_ROUNDS = 6

maybe = st.booleans()
# Around a lease, a reconcile time and an expiry: what lies between changes nothing.
durations_ms = st.sampled_from(
    [SECOND_MS, 29 * SECOND_MS, 30 * SECOND_MS, 40 * SECOND_MS, 70 * SECOND_MS, HOUR_MS]
)
# What was posted though nobody knows it is what the ledger is for.
fates = st.sampled_from(["unknown, arrived"] * 2 + ["unknown, lost", "refused", "receipt"])
channels = st.sampled_from(["C1", "C2"])


class Walk(RuleBasedStateMachine):
    """Each rule is something that may happen next."""

    states: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.ledger = StubLedger()
        self.requests = 0
        self.is_neglected = False
        self._accept()

    @initialize(is_neglected=maybe, rounds=st.integers(1, 2), has_ended=maybe)
    def it_may_be_neglected_or_have_ended(
        self, *, is_neglected: bool, rounds: int, has_ended: bool
    ) -> None:
        """Few walks would come to an end soon enough for a person to begin another round."""
        self.is_neglected = is_neglected
        for _ in range(rounds - 1):
            self._reject()
            self.world.redrive(post_again=False, again=False)
        if has_ended:
            self._reject()

    @rule(ms=durations_ms)
    def time_passes(self, *, ms: int) -> None:
        self.world.clock.advance(ms=ms)

    @rule(channel=channels, fate=fates, is_slow=maybe, again=maybe)
    def one_goes_on(self, *, channel: str, fate: str, is_slow: bool, again: bool) -> None:
        self._go_on(0, channel=channel, fate=fate, is_slow=is_slow, again=again)

    @rule(channel=channels, fate=fates, is_slow=maybe, again=maybe)
    def the_other_goes_on(self, *, channel: str, fate: str, is_slow: bool, again: bool) -> None:
        self._go_on(1, channel=channel, fate=fate, is_slow=is_slow, again=again)

    @rule(place=st.integers(0, 1), is_final=maybe, is_harmless=maybe, again=maybe)
    def a_worker_stops(self, *, place: int, is_final: bool, is_harmless: bool, again: bool) -> None:
        worker, rig = self.workers[place], self.rig
        if worker.look is not None:
            later = rig.look_later(worker.token, completed=is_harmless)
            self.world.ask(rig.give_up(worker.token) if is_final else later, again=again)
        elif worker.has_posted_nothing:
            later = rig.postpone(worker.token, attempt_used=not is_harmless)
            self.world.ask(rig.settle_rejected(worker.token) if is_final else later, again=again)
        worker.forget()

    @rule(place=st.integers(0, 1))
    def a_worker_dies(self, *, place: int) -> None:
        self.workers[place] = Worker()

    @rule(place=st.integers(0, 1), again=maybe)
    def a_worker_claims_once_more(self, *, place: int, again: bool) -> None:
        if self.workers[place].token:
            self._claim(self.workers[place], again=again)

    @rule(what=st.sampled_from(["m1", "m2", "sweep", "cancel"]), again=maybe)
    def somebody_else_comes(self, *, what: str, again: bool) -> None:
        if what == "sweep":
            self.world.sweep()
        elif what != "cancel":
            self.world.ask(self.rig.dispatch(what), again=again)
        elif self.world.state in {"sending", "uncertain"}:
            # Earlier it would only end the walk.
            self.world.ask(self.rig.cancel(), again=again)

    @rule(has_found_it=maybe, post_again=maybe, again=maybe)
    def a_person_comes(self, *, has_found_it: bool, post_again: bool, again: bool) -> None:
        if has_found_it:
            self.world.mark_sent(again=again)
        else:
            self.world.redrive(post_again=post_again, again=again)

    @rule(back=st.integers(2, 4), has_receipt=maybe)
    def somebody_comes_from_the_past(self, *, back: int, has_receipt: bool) -> None:
        token = self.world.tokens[-back] if back <= len(self.world.tokens) else "never-given"
        if has_receipt and self.world.posts:
            self._settle_sent(token, self.world.posts[0].receipt, again=True)
        else:
            self.world.ignores(token)

    @invariant()
    def the_promises_are_kept(self) -> None:
        self.world.check()
        self.states.add(self.world.state)
        if self.world.marker in self.world.markers:
            self.states.add("redriven")

    def teardown(self) -> None:
        """Whatever has happened: it ends, once somebody works on it each time that it is due."""
        if self.is_neglected:
            self.world.clock.advance(ms=LIFE_MS)
        self._work_to_the_end()
        self.states.add(self.world.state)
        self._leave()
        self.rig.view.check()
        self.ledger.store.close()

    def _reject(self) -> None:
        token = self.world.new_token()
        self.world.ask(self.rig.claim(token))
        self.world.ask(self.rig.settle_rejected(token))

    def _accept(self) -> None:
        self.requests += 1
        self.world = World(self.ledger, Delivery("acme", f"r{self.requests}"))
        self.rig = self.world.rig
        self.workers = [Worker(), Worker()]
        expires_at_ms = self.world.clock.now_ms + LIFE_MS
        self.world.ask(self.rig.accept(expires_at_ms=expires_at_ms, max_attempts=MOST_ATTEMPTS))

    def _go_on(self, place: int, *, channel: str, fate: str, is_slow: bool, again: bool) -> None:
        """What a worker does that is not disturbed: from claim to receipt, or to the next one."""
        worker = self.workers[place]
        if self.world.state in TERMINAL:
            self._leave()
            self._accept()
        elif worker.is_granted:
            self._intend(worker, {"channel": channel}, again=again)
        elif worker.post_by_ms:
            self._post(worker, fate=fate, is_slow=is_slow, again=again)
        elif worker.fate == "receipt":
            self._settle_sent(worker.token, worker.receipt, again=again)
        elif worker.fate == "refused":
            self.world.ask(self.rig.settle_rejected(worker.token), again=again)
            worker.forget()
        elif worker.fate:
            self.world.ask(self.rig.doubt(worker.token), again=again)
            worker.forget()
        elif worker.look is not None:
            self._conclude(worker, again=again)
        else:
            worker.token = self.world.new_token()
            until_ms = self._claim(worker, again=again)
            if is_slow:
                self.world.clock.now_ms = max(self.world.clock.now_ms, until_ms)

    def _leave(self) -> None:
        """What was posted is known in the end, if only because a person looked."""
        if self.world.posts_of_the_round:
            self._settle_sent("late", self.world.posts_of_the_round[0].receipt, again=True)
            assert self.world.state == "sent"

    def _work_to_the_end(self) -> None:
        for _ in range(MOST_ROUNDS):
            if self.world.state in TERMINAL:
                break
            due_ms = int(self.world.written.record["due"])
            self.world.clock.now_ms = max(self.world.clock.now_ms, due_ms)
            self.world.sweep()
            self._work(Worker(self.world.new_token()))
            self.world.check()
        assert self.world.state in TERMINAL

    def _work(self, worker: Worker) -> None:
        self._claim(worker, again=False)
        if worker.look is not None:
            self._conclude(worker, again=False)
        if worker.is_granted:
            self._intend(worker, {"channel": "C1"}, again=False)
        if worker.post_by_ms:
            self._post(worker, fate="receipt", is_slow=False, again=False)
            self._settle_sent(worker.token, worker.receipt, again=False)

    def _claim(self, worker: Worker, *, again: bool) -> int:
        """Until when it was told to wait, if it was; it reads the channel as soon as it may."""
        answer = self.world.ask(self.rig.claim(worker.token), again=again)
        worker.is_granted = isinstance(answer, Granted)
        worker.look = answer if isinstance(answer, Uncertain) else None
        worker.seen = self.world.visible(worker.look) if worker.look else []
        if isinstance(answer, Granted | Uncertain):
            worker.marker = answer.marker
        return answer.until_ms if isinstance(answer, Wait) else 0

    def _intend(self, worker: Worker, target: Mapping[str, str], *, again: bool) -> None:
        answer = self.world.ask(self.rig.intend(worker.token, target=target), again=again)
        worker.forget()
        if isinstance(answer, Go):
            worker.post_by_ms = self.world.clock.now_ms + answer.remaining_ms
            worker.target = answer.target

    def _post(self, worker: Worker, *, fate: str, is_slow: bool, again: bool) -> None:
        if again:
            # Its reply was lost, and the client waited before it asked again.
            self.world.clock.advance(ms=SECOND_MS)
            post_by_ms = worker.post_by_ms
            self._intend(worker, worker.target, again=False)
            assert worker.post_by_ms in {0, post_by_ms}, "asking again gained time"
        if worker.post_by_ms > self.world.clock.now_ms:
            self.world.post(worker, fate=fate, is_slow=is_slow)
        else:
            self.world.ask(self.rig.postpone(worker.token), again=again)
            worker.forget()

    def _settle_sent(self, token: str, receipt: Mapping[str, str], *, again: bool) -> None:
        answer = self.world.ask(self.rig.settle_sent(token, receipt=receipt), again=again)
        assert not isinstance(answer, StrayPost) or self.world.permitted_posts > 1

    def _conclude(self, worker: Worker, *, again: bool) -> None:
        assert worker.look is not None
        if worker.seen:
            self._settle_sent(worker.token, worker.seen[0].receipt, again=again)
            worker.forget()
            return
        call = self.rig.absent(worker.token, read_begun_ms=worker.look.now_ms)
        answer = self.world.ask(call, again=again)
        worker.forget()
        worker.is_granted = isinstance(answer, Reclaimed)


# A failure is shortened for up to five minutes: worth the wait, and a passing run takes seconds.
@pytest.mark.timeout(400)
def test_no_walk_breaks_a_promise() -> None:
    # Given
    Walk.states.clear()

    # When
    run_state_machine_as_test(Walk, settings=WALKS)

    # Then
    assert Walk.states >= {*OPEN, "sent", "redriven"}
