"""What an honest worker may do next: it posts only what it may, and tells only what it saw.

It may stand still at any point, for any time, or die; and whatever it asks, the answer may be lost.
Then it asks the same again, or goes on as the middleware does without an answer.
"""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING

from tests.explorer.asking import TICK_MS, TIMING
from tests.explorer.state import IDLE, Post, Worker
from tests.explorer.turn import Move, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.explorer.asking import Question
    from tests.explorer.embedded import Contents
    from tests.explorer.state import State
    from tests.explorer.told import EmbeddedLedger
    from tests.explorer.turn import Care

# The record's fields that hold tokens.
TOKENS = ("token", "released", "doubted")
# Enough for two workers and all that two records may remember.
_MOST_TOKENS = 2 + 2 * len(TOKENS) + 1


def token_of(number: int) -> str:
    return f"token-{number}"


def working(ledger: EmbeddedLedger, state: State, place: int, care: Care) -> Iterator[Move]:
    """All that the worker in this place may do next."""
    turn = Turn(ledger, state, place, care)
    yield from _STAGES[turn.worker.stage](turn)
    left = state.left.less("crashes")
    if turn.worker.stage != "idle" and left is not None:
        yield turn.does("dies", turn.put(IDLE, left=left))


def _idle(turn: Turn) -> Iterator[Move]:
    """The queue may repeat or lose anything, so any worker may claim at any time."""
    yield from turn.asks(("claim", _new_token(turn)))
    if not turn.care.random_tokens:
        for token in sorted(_repeated_tokens(turn)):
            yield from turn.asks(("claim", token))


def _granted(turn: Turn) -> Iterator[Move]:
    token = turn.worker.token
    if not turn.care.intent:
        post_by_ms = turn.state.now_ms + TIMING.post_deadline_ms
        yield from _posting(
            turn, turn.worker._replace(at_ms=post_by_ms, channel=turn.state.channel)
        )
    yield from turn.asks(("intend", token, turn.state.channel))
    yield from turn.asks(("settle_rejected", token))
    yield from turn.asks(("postpone", token, "given back"))
    yield from turn.asks(("postpone", token, "used"))


def _hearing(turn: Turn) -> Iterator[Move]:
    """Only now, at any time after the ledger has answered."""
    worker = turn.worker
    hears = worker._replace(stage="going", at_ms=turn.state.now_ms + worker.at_ms)
    yield turn.does("hears how long it may post", turn.put(hears))


def _going(turn: Turn) -> Iterator[Move]:
    worker = turn.worker
    yield from _posting(turn, worker)
    yield turn.does("hears nothing of its POST, which got lost", turn.put(_unknown(worker)))
    # The provider refused it, or it was not made after all.
    yield from turn.asks(("settle_rejected", worker.token))
    yield from turn.asks(("postpone", worker.token, "given back"))


def _posting(turn: Turn, worker: Worker) -> Iterator[Move]:
    state = turn.state
    late_ms = state.now_ms - worker.at_ms
    left = state.left
    visible_ms = worker.at_ms + TIMING.settle_delay_ms
    if not turn.care.post_by:
        # Nothing tells it that it is late, so nothing excuses it.
        late_ms, visible_ms = -1, max(visible_ms, state.now_ms + 1)
    elif late_ms >= 0:
        # Rule 4: nothing is written after `post_by`, but by one who was paused after it had looked.
        paused = left.less("pauses")
        if paused is None:
            return
        # A read that begins in the same instant may have been before it.
        left, visible_ms = paused, max(visible_ms, state.now_ms + 1)
    post = Post(worker.channel, worker.marker, visible_ms, max(late_ms, -1))
    posts = (*state.posts, post)
    words = f"posts to {post.channel}"
    if late_ms >= 0:
        words += f", {late_ms} ms after post_by"
    knows = worker._replace(stage="receipt", places=(len(state.posts),))
    yield turn.does(words, turn.put(knows, posts=posts, left=left))
    after = turn.put(_unknown(worker), posts=posts, left=left)
    yield turn.does(f"{words}, and hears nothing of it", after)


def _receipt(turn: Turn) -> Iterator[Move]:
    yield from turn.asks(("settle_sent", turn.worker.token, *turn.worker.places))


def _unsure(turn: Turn) -> Iterator[Move]:
    yield from turn.asks(("doubt", turn.worker.token))


def _looking(turn: Turn) -> Iterator[Move]:
    worker, state = turn.worker, turn.state
    there = [
        (place, post)
        for place, post in enumerate(state.posts)
        if post.channel == worker.channel and post.marker == worker.marker
    ]
    # Its own read began with the claim; one that it shares with others may have begun earlier.
    for found in _findings(there, worker.at_ms - TICK_MS):
        words = f"finds post {' and '.join(map(str, found))}"
        yield turn.does(words, turn.put(worker._replace(stage="receipt", places=found)))
    for begun_ms in (worker.at_ms, worker.at_ms - TICK_MS):
        if worker.stage == "looking" and all(post.visible_ms > begun_ms for _, post in there):
            yield from turn.asks(("absent", worker.token, begun_ms))
    yield from turn.asks(("look_later", worker.token, "completed"))
    yield from turn.asks(("look_later", worker.token, "failed"))
    yield from turn.asks(("give_up", worker.token))


def _findings(there: list[tuple[int, Post]], begun_ms: int) -> Iterator[tuple[int, ...]]:
    """What a read that began then may find: all that had arrived, and any of the others."""
    ways = [[(place,)] if post.visible_ms <= begun_ms else [(), (place,)] for place, post in there]
    for parts in product(*ways):
        found = tuple(chain.from_iterable(parts))
        if found:
            yield found


def _asked(turn: Turn) -> Iterator[Move]:
    """A receipt is told until it is taken; after a claim or an intent nothing was posted, and a
    look whose end nobody heard may as well have failed.
    """
    worker = turn.worker
    yield from turn.asks(worker.asked)
    for question in _INSTEAD.get(str(worker.asked[0]), ()):
        yield from turn.asks((question[0], worker.token, *question[1:]))
    if worker.asked[0] != "settle_sent":
        yield turn.does("asks no more", turn.put(IDLE))


# What is asked in place of that whose answer nobody heard, but for the token.
_INSTEAD: dict[str, tuple[Question, ...]] = {
    "claim": (("postpone", "given back"), ("look_later", "failed")),
    "intend": (("postpone", "given back"), ("postpone", "used")),
    "absent": (("look_later", "failed"),),
}
_STAGES: dict[str, Callable[[Turn], Iterator[Move]]] = {
    "idle": _idle,
    "granted": _granted,
    "hearing": _hearing,
    "going": _going,
    "receipt": _receipt,
    "unknown": _unsure,
    "looking": _looking,
    "guessing": _looking,
    "asked": _asked,
}


def _unknown(worker: Worker) -> Worker:
    return Worker("unknown", worker.token)


def _new_token(turn: Turn) -> str:
    """Never met before: one that nobody remembers is as good, and makes fewer states."""
    used = {worker.token for worker in turn.state.workers}
    for ledger in (turn.state.ledger, turn.state.on_disk):
        used |= _known_tokens(turn, ledger)
    return next(token for token in map(token_of, range(_MOST_TOKENS)) if token not in used)


def _repeated_tokens(turn: Turn) -> set[str]:
    """What a counter in the store gives again that has gone back: tokens which it has forgotten."""
    state = turn.state
    if state.left.rollbacks or state.on_disk is not None:
        return set()
    held = {worker.token for worker in state.workers if worker.token}
    return held - _known_tokens(turn, state.ledger)


def _known_tokens(turn: Turn, ledger: Contents | None) -> set[str]:
    record = {} if ledger is None else turn.ledger.record(ledger)
    return {record.get(name, "") for name in TOKENS}
