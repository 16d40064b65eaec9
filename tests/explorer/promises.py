"""What must hold of every state and of every move; a breach is a sentence.

A POST made longer than the settle delay after its `post_by` is the limit that design §1 names: it
may be one too many. But whoever made it, and lives to tell, raises an alert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from middleware.answers import mapping_to_text
from tests.explorer.asking import receipt_of
from tests.explorer.state import NEVER_POSTED, TERMINAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.explorer.asking import Question
    from tests.explorer.state import State
    from tests.explorer.told import EmbeddedLedger, Told
    from tests.explorer.turn import Move


def breach(
    ledger: EmbeddedLedger, before: State, move: Move, *, excused_from_ms: int
) -> str | None:
    """What this move breaks, or the state that it makes, if they break anything.

    A POST this late or later is excused.
    """
    was, now = ledger.record(before.ledger), ledger.record(move.after.ledger)
    broken = None
    if move.told is not None:
        broken = _breach_of_end(was, now, move.question, move.told)
        if move.question[0] in {"settle_sent", "mark_sent"}:
            broken = broken or _breach_of_receipt(was, now, str(move.question[-1]), move.told)
    return broken or _breach_of_state(now, move.after, excused_from_ms)


def _breach_of_state(record: Mapping[str, str], state: State, excused_from_ms: int) -> str | None:
    in_time = [post.marker for post in state.posts if post.late_ms < excused_from_ms]
    if len(in_time) > 1 + state.ordered:
        return "posted twice"
    outcome = record.get("state", "none")
    if outcome in NEVER_POSTED and record["marker"] in in_time:
        return f"{outcome}, but posted"
    if outcome == "sent" and record["receipt"] not in map(_receipt, range(len(state.posts))):
        return "sent, but never posted"
    return None


def _breach_of_end(
    was: Mapping[str, str], now: Mapping[str, str], question: Question, told: Told
) -> str | None:
    """What has ended stays so, unless it turns out to be sent, or a person begins a new round."""
    before, after = was.get("state", "none"), now.get("state", "none")
    if before == after or before not in TERMINAL or (before, after) == ("unproven", "sent"):
        return None
    if question[0] == "redrive" and before != "sent" and "redriven" in told.events:
        return None
    return f"{before} was final, but became {after}"


def _breach_of_receipt(
    was: Mapping[str, str], now: Mapping[str, str], place: str, told: Told
) -> str | None:
    """A receipt in hand becomes the outcome; an alert where it had ended otherwise."""
    receipt = _receipt(place)
    if now["state"] == "sent" and now["receipt"] == receipt:
        return None
    has_ended = was.get("state") in NEVER_POSTED | {"sent"}
    if not has_ended or receipt not in _strays(now):
        return "a receipt in hand was thrown away"
    if receipt not in _strays(was) and not {"late_post", "duplicate_post"} & {*told.events}:
        return "a post that should not be, without an alert"
    return None


def _strays(record: Mapping[str, str]) -> list[str]:
    return record.get("stray_receipts", "").splitlines()


def _receipt(place: object) -> str:
    return mapping_to_text(receipt_of(str(place)))
