"""What may happen around the workers: time, the service, the projector, the sweeper, a person who
operates, and the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.explorer.asking import TICK_MS
from tests.explorer.promised import answering, promised_by
from tests.explorer.state import FIRST_CHANNEL
from tests.explorer.turn import Move

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.explorer.asking import Question
    from tests.explorer.state import State
    from tests.explorer.told import EmbeddedLedger

_FIRST_ROUND = "round-1"
# The projector's message and anyone's nudge; the sweeper's copy is one of them again. What the
# queue does with them is not followed: a worker may claim at any time.
_BY_ANYONE: tuple[Question, ...] = (
    ("accept", _FIRST_ROUND),
    ("accept", "asked twice"),
    ("dispatch", "m1"),
    ("dispatch", "m2"),
    ("sweep",),
    ("not_dispatched",),
    ("enter_epoch",),
)


def happening(ledger: EmbeddedLedger, state: State) -> Iterator[Move]:
    """All that may happen next without a worker."""
    if not ledger.record(state.ledger):
        yield from _asked(ledger, state, ("accept", _FIRST_ROUND))
        return
    yield Move("time passes", state._replace(now_ms=state.now_ms + TICK_MS))
    for question in _BY_ANYONE:
        yield from _asked(ledger, state, question)
    yield from _operated(ledger, state)
    yield from _stored(ledger, state)
    left = state.left.less("moves")
    if left is not None and state.channel == FIRST_CHANNEL:
        yield Move("the channel's code names C2 now", state._replace(channel="C2", left=left))


def _operated(ledger: EmbeddedLedger, state: State) -> Iterator[Move]:
    left = state.left.less("cancels")
    if left is not None:
        yield from _asked(ledger, state._replace(left=left), ("cancel",))
    left = state.left.less("redrives")
    if left is None:
        return
    state = state._replace(left=left)
    # As random as a marker is.
    marker = f"round-{state.rounds + 1}"
    for ordered, taken_for in enumerate(("never posted", "post again")):
        for move in _asked(ledger, state, ("redrive", marker, taken_for)):
            after = move.after
            if ledger.record(after.ledger)["marker"] == marker:
                after = after._replace(rounds=after.rounds + 1, ordered=after.ordered + ordered)
            yield move._replace(after=after)
    for place in range(len(state.posts)):
        yield from _asked(ledger, state, ("mark_sent", place))


def _stored(ledger: EmbeddedLedger, state: State) -> Iterator[Move]:
    """A crash takes back what was answered since something did not reach the disk."""
    left = state.left.less("rollbacks")
    if left is not None and state.on_disk is None:
        after = state._replace(on_disk=state.ledger, left=left)
        yield Move("the disk falls behind", after)
    if state.on_disk is not None:
        after = state._replace(
            ledger=state.on_disk,
            on_disk=None,
            server=state.server + 1,
            promised=promised_by(ledger.record(state.on_disk)),
        )
        yield Move("the store's server crashes and begins anew from the disk", after)


def _asked(ledger: EmbeddedLedger, state: State, question: Question) -> Iterator[Move]:
    """Whether the answer arrives makes no difference: anyone may ask again."""
    told = ledger.ask(state.ledger, question, server=state.server, now_ms=state.now_ms)
    if told.ledger is not state.ledger:
        after = answering(ledger, state, question, told)
        yield Move("somebody asks", after, question, told)
