"""Which state stands for all from which the same can follow, so that one of them is enough.

Times count from now; tokens and workers have no names, and neither has a server.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.explorer.asking import TICK_MS, TIMING
from tests.explorer.records import LONGEST_PAUSE_MS, NOBODY, THIS, epoch_of, fields_of, moved
from tests.explorer.state import START_MS, TERMINAL, Promised, State, Worker
from tests.explorer.working import TOKENS, token_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.explorer.embedded import Contents
    from tests.explorer.state import Post
    from tests.explorer.told import EmbeddedLedger

# As long as a look holds its lease.
_LONGEST_LOOK_MS = TIMING.lease_ms + TICK_MS


class Likeness:
    """A POST made `excused_from_ms` after its `post_by` is as good as any later one.

    Remembers what it has made of each of the ledger's contents.
    """

    def __init__(self, ledger: EmbeddedLedger, *, excused_from_ms: int) -> None:
        self._ledger = ledger
        self._excused_from_ms = excused_from_ms
        self._known: dict[object, Contents] = {}

    def __call__(self, state: State) -> State:
        now_ms = state.now_ms
        records = [self._ledger.record(state.ledger)]
        if state.on_disk is not None:
            records.append(self._ledger.record(state.on_disk))
        workers, names = self._workers(state, records)
        # Reads that matter began no earlier.
        begun_ms = -TICK_MS
        looked_for = {record.get("marker", "") for record in records}
        for worker in workers:
            if worker.at_ms and worker.stage not in {"going", "hearing"}:
                looked_for.add(worker.marker)
                begun_ms = min(begun_ms, worker.at_ms - START_MS - TICK_MS)
        posts = [
            self._post(post, now_ms, begun_ms if post.marker in looked_for else None)
            for post in state.posts
        ]
        on_disk = state.on_disk and self._stored(state.on_disk, now_ms, NOBODY, begun_ms, names)
        ledger = self._stored(state.ledger, now_ms, state.server, begun_ms, names)
        return State(
            START_MS,
            ledger,
            state.left,
            THIS,
            on_disk,
            workers,
            tuple(posts),
            state.channel,
            state.rounds,
            state.ordered,
            _promised(state.promised, records[0].get("state", "none")),
        )

    def _workers(
        self, state: State, records: list[Mapping[str, str]]
    ) -> tuple[tuple[Worker, Worker], tuple[str, ...]]:
        """In an order and with tokens that do not depend on their names; and these."""
        one, other = (_worker(worker, state.now_ms) for worker in state.workers)
        if not (one.token or other.token):
            return (one, other), ()
        kept = [record.get(name) for record in records for name in TOKENS]
        if _order(other, kept) < _order(one, kept):
            one, other = other, one
        # Those that a record knows come first, so that records that are alike are equal.
        tokens = [token for token in (one.token, other.token) if token]
        names = tuple(dict.fromkeys([*(each for each in kept if each in tokens), *tokens]))
        return (_named(one, names), _named(other, names)), names

    def _post(self, post: Post, now_ms: int, begun_ms: int | None) -> Post:
        """No read of it that matters began earlier than `begun_ms`; None: it is not looked for."""
        seen_ms = 0 if begun_ms is None else max(post.visible_ms - now_ms, begun_ms)
        late_ms = self._excused_from_ms if post.late_ms >= self._excused_from_ms else -1
        return post._replace(visible_ms=START_MS + seen_ms, late_ms=late_ms)

    def _stored(
        self, ledger: Contents, now_ms: int, server: int, begun_ms: int, names: tuple[str, ...]
    ) -> Contents:
        seen = (ledger, now_ms, server, begun_ms, names)
        known = self._known.get(seen)
        if known is None:
            record, epoch = self._ledger.record(ledger), self._ledger.epoch(ledger)
            fields = dict(fields_of(record, now_ms, begun_ms, names))
            entered = epoch_of(epoch, record, server, now_ms)
            if "epoch" in record:
                fields["epoch"] = "1"
            is_older = entered["number"] == "2"
            if is_older and int(record["not_before"]) <= int(epoch["look_from"]):
                fields["not_before"] = min(fields["not_before"], entered["look_from"])
            known = self._known[seen] = self._ledger.like(
                ledger, fields, entered, lambda at_ms: START_MS + max(at_ms - now_ms, 0)
            )
        return known


def _promised(promised: Promised, state: str) -> Promised:
    """What has ended goes on in a new round only, and what was sent never does."""
    if state == "sent":
        return Promised()
    if state in TERMINAL:
        return Promised(may_be_posted=promised.may_be_posted)
    return promised


@cache
def _worker(worker: Worker, now_ms: int) -> Worker:
    """Without what makes no difference to what it does next."""
    stage, token, marker, at_ms, channel, places, asked = worker
    question = asked[0] if asked else ""
    if stage == "receipt" or question == "settle_sent":
        return Worker("receipt", token, places=places)
    if stage in {"looking", "guessing"} or question == "absent":
        past_ms = _LONGEST_LOOK_MS
        begun = (int(moved(int(each), now_ms, past_ms + TICK_MS)) for each in asked[2:])
        asked = (*asked[:2], *begun)
    elif stage == "hearing":
        return worker
    elif stage == "going":
        past_ms = LONGEST_PAUSE_MS
    else:
        keeps_marker = stage == "granted" or question == "intend"
        return Worker(stage, token, marker if keeps_marker else "", asked=asked)
    return Worker(stage, token, marker, int(moved(at_ms, now_ms, past_ms)), channel, places, asked)


def _order(worker: Worker, kept: Iterable[str | None]) -> tuple[object, ...]:
    """By all but the name of its token."""
    own = [token == worker.token for token in kept]
    asked = str((*worker.asked[:1], *worker.asked[2:]))
    return worker.stage, own, worker.marker, worker.at_ms, worker.channel, worker.places, asked


def _named(worker: Worker, tokens: tuple[str, ...]) -> Worker:
    if not worker.token:
        return worker
    token = token_of(tokens.index(worker.token))
    asked = (worker.asked[0], token, *worker.asked[2:]) if worker.asked else ()
    return worker._replace(token=token, asked=asked)
