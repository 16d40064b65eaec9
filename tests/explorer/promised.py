"""What follows from an answer for all later ones: see `Promised`.

It is kept beside the ledger, so that a script which forgets it, or no longer asks, is found out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from middleware import answers
from tests.explorer.state import NEVER_POSTED, Promised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.explorer.asking import Question
    from tests.explorer.state import State
    from tests.explorer.told import EmbeddedLedger, Told


def answering(ledger: EmbeddedLedger, state: State, question: Question, told: Told) -> State:
    """After the ledger has answered, whether or not anyone hears it."""
    promised = state.promised
    if told.reply is not None:
        was, now = ledger.record(state.ledger), ledger.record(told.ledger)
        promised = _promised(promised, was, now, question, told.reply)
    return state._replace(ledger=told.ledger, promised=promised)


def promised_by(record: Mapping[str, str]) -> Promised:
    """All that a store can stand by which has forgotten what came later."""
    return Promised(
        target=record.get("target", "") if "absences" in record else "",
        is_cancelled="cancel_asked" in record,
        is_looked_for="looks" in record,
        may_be_posted="stray_receipts" in record,
    )


def is_redriven(was: Mapping[str, str], now: Mapping[str, str]) -> bool:
    return was.get("marker") != now.get("marker")


def _promised(
    promised: Promised,
    was: Mapping[str, str],
    now: Mapping[str, str],
    question: Question,
    reply: object,
) -> Promised:
    match question, reply:
        case ("cancel",), answers.Ok() | answers.Asked():
            return promised._replace(is_cancelled=True)
        case ("absent", *_), answers.Reclaimed() if was["state"] == "uncertain":
            return promised._replace(target=was.get("target", ""), is_looked_for=False)
        case ("look_later", _, "completed"), answers.Ok() if was["state"] == "uncertain":
            return promised._replace(is_looked_for=True)
        case ("settle_sent", *_), _ if was.get("state") in NEVER_POSTED:
            return promised._replace(may_be_posted=True)
        case ("redrive", _, taken_for), answers.Ok() if is_redriven(was, now):
            is_ordered = taken_for == "post again"
            return Promised(may_be_posted=promised.may_be_posted or is_ordered)
    return promised
