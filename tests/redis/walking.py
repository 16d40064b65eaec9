"""Two honest workers, a lossy queue and a channel: what they do, and what really happened.

A worker posts only while an intent of its own allows it, and tells only what it saw. A person may
begin another round.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from middleware import answers
from tests.redis.delivering import Rig
from tests.redis.ledger_calls import FENCED
from tests.redis.ledger_view import TERMINAL, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.keys import Delivery
    from middleware.script import Call
    from middleware.stub_ledger import StubLedger

T = TypeVar("T")

NEVER_POSTED = {"rejected", "expired", "cancelled"}
# What closes an intent without a receipt: each is told by who knows that nothing was posted.
CLOSE_AN_INTENT = {"settle_rejected", "postpone", "absent"}
# Noted each time, though nothing else is written.
_REFUSALS = {"held", "dispatch refused"}


@dataclass(frozen=True, slots=True)
class Post:
    """In the channel from `visible_from_ms` on."""

    marker: str
    target: Mapping[str, str]
    visible_from_ms: int
    receipt: Mapping[str, str]


@dataclass(slots=True)
class Worker:
    """What one worker knows; it dies with all of it."""

    token: str = ""
    marker: str = ""
    is_granted: bool = False
    look: answers.Uncertain | None = None
    seen: list[Post] = field(default_factory=list)
    # Until when, and where, it may post; what it learned of the post it made.
    post_by_ms: int = 0
    target: Mapping[str, str] = field(default_factory=dict)
    fate: str = ""
    receipt: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_posted_nothing(self) -> bool:
        return self.is_granted or self.post_by_ms > 0 or self.fate == "refused"

    def forget(self) -> None:
        """All but the claim's names, by which it may still ask and post."""
        fresh = Worker(self.token, self.marker)
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))


class World:
    """One delivery in a ledger in memory, and the channel it goes to."""

    def __init__(self, ledger: StubLedger, delivery: Delivery) -> None:
        self.clock = ledger.clock
        self.rig = Rig(ledger, ledger.clock, delivery)
        self.posts: list[Post] = []
        self.tokens: list[str] = []
        self.markers: list[str] = []
        # One, and another for each that a person ordered.
        self.permitted_posts = 1
        self.written: Snapshot = self.rig.snapshot()
        self._leases: dict[str, int] = {}
        self._frozen_target: str | None = None

    @property
    def state(self) -> str:
        return self.written.record.get("state", "none")

    @property
    def marker(self) -> str:
        return self.written.record.get("marker", "")

    @property
    def posts_of_the_round(self) -> list[Post]:
        return [post for post in self.posts if post.marker == self.marker]

    def new_token(self) -> str:
        self.tokens.append(f"token-{len(self.tokens)}")
        return self.tokens[-1]

    def redrive(self, *, post_again: bool, again: bool) -> None:
        """A person begins a new round, or is told why there is none."""
        before = self.written
        self.markers.append(f"of-round-{len(self.markers) + 2}")
        call = self.rig.redrive(self.markers[-1], post_again=post_again)
        if self.ask(call, again=again) != answers.Ok():
            assert self.written == before
        elif post_again:
            self.permitted_posts += 1

    def mark_sent(self, *, again: bool) -> None:
        """A person has found the post, if there is one."""
        for post in self.posts_of_the_round:
            self.ask(self.rig.mark_sent(receipt=post.receipt), again=again)

    def ask(self, call: Call[T], *, again: bool = False) -> T:
        """Make a call, again if its reply was lost, and judge what it did."""
        before = self.written
        answer = self.rig.run(call)
        self.written = self.rig.snapshot()
        if again:
            assert self.rig.run(call) == answer
            assert _without_refusals(self.rig.snapshot()) == _without_refusals(self.written)
            self.written = self.rig.snapshot()
        self._judge(call, before.record, self.written.record)
        self._follow_answers(call, answer, self.written.record)
        return answer

    def sweep(self) -> None:
        """As the sweeper does: it asks what is due, and moves that on."""
        due = self.rig.run(self.rig.ledger.due_deliveries(self.rig.delivery.tenant, limit=1))
        if due.members:
            self.ask(self.rig.sweep())
        if self.state not in TERMINAL:
            assert int(self.written.record["due"]) > self.clock.now_ms, "another would sweep it too"

    def post(self, worker: Worker, *, fate: str, is_slow: bool) -> None:
        """The worker uses its intent; `fate` is what it learns of it.

        A slow one shows up as late as the timing contract takes into account.
        """
        assert self.clock.now_ms < worker.post_by_ms
        worker.fate = fate
        if fate in {"receipt", "unknown, arrived"}:
            latest_ms = worker.post_by_ms + self.rig.timing.settle_delay_ms
            visible_from_ms = latest_ms if is_slow else self.clock.now_ms
            worker.receipt = {"channel": worker.target["channel"], "ts": f"17.{len(self.posts)}"}
            self.posts.append(Post(worker.marker, worker.target, visible_from_ms, worker.receipt))
        worker.post_by_ms = 0

    def visible(self, look: answers.Uncertain) -> list[Post]:
        return [
            post
            for post in self.posts
            if (post.marker, post.target) == (look.marker, look.target)
            and post.visible_from_ms <= self.clock.now_ms
        ]

    def ignores(self, token: str) -> None:
        """Whoever has this token may make any call that is the holder's, and nothing happens."""
        if token != self.written.record.get("token"):
            for call in FENCED.values():
                self.rig.run(call(self.rig, token))
            assert self.rig.snapshot() == self.written

    def check(self) -> None:
        assert len(self.posts) <= self.permitted_posts, "posted twice"
        is_posted = bool(self.posts_of_the_round)
        assert not (is_posted and self.state in NEVER_POSTED), "recorded as never posted"
        assert self.posts or self.state != "sent", "recorded as posted"
        live = [token for token, until_ms in self._leases.items() if until_ms > self.clock.now_ms]
        assert len(live) <= 1, "two tokens hold a live lease"
        self.written.check(self.rig.delivery)

    def _judge(self, call: Call[Any], before: Mapping[str, str], after: Mapping[str, str]) -> None:
        transition, was, is_now = call.script.name, before.get("state"), after["state"]
        if was == is_now:
            return
        if was in TERMINAL:
            assert (was, is_now) == ("unproven", "sent") or transition == "redrive"
        if transition == "redrive":
            assert was != "sent"
            assert was in NEVER_POSTED or "post again" in call.arguments
            self._frozen_target = None
        if is_now == "sent":
            assert transition in {"settle_sent", "mark_sent"}
        if is_now == "sending":
            assert (was, transition) == ("claimed", "intend")
            assert before["token"] == _token_of(call), "posting on the claim of someone else"
            assert int(before["lease_until"]) > self.clock.now_ms
        if is_now in NEVER_POSTED and was in {"sending", "uncertain"}:
            assert transition in CLOSE_AN_INTENT

    def _follow_answers(self, call: Call[Any], answer: object, record: Mapping[str, str]) -> None:
        """By what the workers were told, not by the one token that a record can hold."""
        if record["state"] in TERMINAL:
            self._leases.clear()
            return
        match answer:
            case answers.Granted() | answers.Uncertain() | answers.Go() | answers.Reclaimed():
                self._leases[_token_of(call)] = int(record["lease_until"])
            case answers.Ok() if record.get("token") != _token_of(call):
                self._leases.pop(_token_of(call), None)
        match answer:
            case answers.Reclaimed():
                self._frozen_target = record["target"]
            case answers.Go():
                assert self._frozen_target in {None, record["target"]}, "posted again elsewhere"


def _token_of(call: Call[Any]) -> str:
    """Of a call that has one: after tenant, id and retention."""
    return str(call.arguments[3])


def _without_refusals(snapshot: Snapshot) -> Snapshot:
    kept = tuple(entry for entry in snapshot.history if entry.what not in _REFUSALS)
    return replace(snapshot, history=kept)
