"""Which states count as one: those from which the same can follow.

Times count from now, and what is past is as far past as any script can tell; a token counts by who
still has it; workers have no names. A field of the record that is not listed here is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.explorer.asking import LONGEST_WINDOW_MS, TICK_MS, TIMING
from tests.explorer.state import TERMINAL
from tests.explorer.working import TOKENS

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from tests.explorer.embedded import Contents
    from tests.explorer.state import Post, State, Worker
    from tests.explorer.told import EmbeddedLedger

# How far past a time must be to make no difference any more, where that is more than nothing.
_LONGEST_PAUSE_MS = TIMING.settle_delay_ms + TICK_MS
_LONGEST_LOOK_MS = TIMING.lease_ms + TICK_MS
_PAST_MS = {
    "due": 0,
    "expires_at": 0,
    "lease_until": 0,
    "not_before": 0,
    # After it, and the reconcile limit, a look that does not tell is the last.
    "reconcile_at": TIMING.reconcile_limit_ms,
    # Asked again, an intent answers with what is left until `post_by`.
    "intent_at": TIMING.post_deadline_ms + _LONGEST_PAUSE_MS,
}
# Repetitions beyond the longest window differ in nothing.
_MOST = {
    "dispatches": (LONGEST_WINDOW_MS // TIMING.dispatch_window_ms).bit_length() - 1,
    "looks": 1,
}
_WHOLE = {"state", "attempts", "marker", "target", "receipt", "stray_receipt"}
# Which message it was does not matter while any other may come, too.
_PRESENT = {"message_id", "absences", "cancel_asked"}
# The same in every state, follows from other fields, or is only told to people.
_IRRELEVANT = {
    "accepted_at", "actor", "counted", "epoch", "error", "fingerprint", "max_attempts", "message",
    "priority", "queue", "reason", "returns", "settled_at", "thread_ts",
}  # fmt: skip


class Likeness:
    """Remembers what it has worked out of each of the ledger's contents at each time."""

    def __init__(self, ledger: EmbeddedLedger) -> None:
        self._ledger = ledger
        self._short: dict[Hashable, int] = {}
        self._known: dict[tuple[Contents, int, int], tuple[Hashable, tuple[str, ...]]] = {}

    def __call__(self, state: State) -> Hashable:
        now_ms = state.now_ms
        stored, tokens = self._stored(state.ledger, state)
        on_disk: Hashable = None
        if state.on_disk is not None:
            on_disk, disk_tokens = self._stored(state.on_disk, state)
            tokens += disk_tokens
        one, other = (_worker(worker, tokens, now_ms) for worker in state.workers)
        if other < one:
            one, other = other, one
        posts = tuple([_post(post, now_ms) for post in state.posts])
        rest = (state.channel, state.rounds, state.ordered, state.left)
        return (stored, on_disk, one, other, posts, rest)

    def _stored(self, ledger: Contents, state: State) -> tuple[Hashable, tuple[str, ...]]:
        seen = (ledger, state.server, state.now_ms)
        known = self._known.get(seen)
        if known is None:
            record, epoch = self._ledger.record(ledger), self._ledger.epoch(ledger)
            fields = tuple(_fields(record, state.now_ms))
            parts = (fields, _epoch(epoch, record, state))
            tokens = tuple([record.get(name, "") for name in TOKENS])
            known = self._known[seen] = (self._short.setdefault(parts, len(self._short)), tokens)
        return known


def _fields(record: Mapping[str, str], now_ms: int) -> Iterator[Hashable]:
    is_terminal = record.get("state") in TERMINAL
    for name, text in sorted(record.items()):
        if name in _PAST_MS:
            if not is_terminal:
                yield name, max(int(text) - now_ms, -_PAST_MS[name])
        elif name in _MOST:
            yield name, min(int(text), _MOST[name])
        elif name in _WHOLE:
            yield name, text
        elif name in _PRESENT:
            yield name
        elif name not in _IRRELEVANT and name not in TOKENS:
            raise AssertionError(f"say what the record's field {name} means to what can follow")


def _epoch(epoch: Mapping[str, str], record: Mapping[str, str], state: State) -> Hashable:
    """Numbers only differ or do not; what began it is told from who answers now."""
    if epoch.get("replication_id") != f"{state.server:040x}":
        return "not entered"
    # What has ended belongs to no epoch.
    if record.get("epoch", epoch["number"]) == epoch["number"]:
        return "entered"
    return "older", max(int(epoch["look_from"]) - state.now_ms, 0)


def _worker(worker: Worker, tokens: tuple[str, ...], now_ms: int) -> tuple[object, ...]:
    own = tuple(token == worker.token for token in tokens) if worker.token else ()
    stage, _, marker, at_ms, channel, place, asked = worker
    at_ms -= now_ms if at_ms else 0
    past_ms = _LONGEST_LOOK_MS if stage == "looking" else _LONGEST_PAUSE_MS
    what = [now_ms - each if isinstance(each, int) else each for each in asked[2:]]
    return stage, own, marker, max(at_ms, -past_ms), channel, place, asked[:1], str(what)


def _post(post: Post, now_ms: int) -> tuple[object, ...]:
    seen_ms = max(post.visible_ms - now_ms, -_LONGEST_LOOK_MS - TICK_MS)
    return post.channel, post.marker, seen_ms, min(post.late_ms, _LONGEST_PAUSE_MS)
