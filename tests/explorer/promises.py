"""What must hold of every state and of every move; a breach is a sentence.

A POST made longer than the settle delay after its `post_by` is the limit that design §1 names: it
may be one too many. But whoever made it, and lives to tell, raises an alert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from middleware import answers
from middleware.answers import mapping_to_text
from tests.explorer.asking import MOST_UNHEARD_LOOKS, receipt_of
from tests.explorer.promised import is_redriven
from tests.explorer.state import NEVER_POSTED, TERMINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.explorer.asking import Question
    from tests.explorer.state import Post, Promised, State
    from tests.explorer.told import EmbeddedLedger, Told
    from tests.explorer.turn import Move

    Record = Mapping[str, str]

_HOLDS = (answers.Granted, answers.Uncertain, answers.Reclaimed)


class _Answer(NamedTuple):
    """The record before and after it; and the posts, at that time, that nothing excuses."""

    was: Record
    now: Record
    promised: Promised
    question: Question
    told: Told
    in_time: list[Post]

    @property
    def states(self) -> tuple[str, str]:
        return self.was.get("state", "none"), self.now.get("state", "none")


def breach(
    ledger: EmbeddedLedger, before: State, move: Move, *, excused_from_ms: int
) -> str | None:
    """What this move breaks, or the state that it makes, if they break anything.

    A POST this late or later is excused.
    """
    after = move.after
    was, now = ledger.record(before.ledger), ledger.record(after.ledger)
    in_time = [post for post in after.posts if post.late_ms < excused_from_ms]
    if move.told is not None and move.told.reply is not None:
        answer = _Answer(was, now, before.promised, move.question, move.told, in_time)
        for broken in _breaches_of_answer(answer):
            return broken
    return _breach_of_state(now, after, in_time)


def _breach_of_state(record: Record, state: State, in_time: list[Post]) -> str | None:
    """Each round posts once; and of all together, only those may post that a person ordered."""
    markers = [post.marker for post in in_time]
    if len(markers) > min(len(set(markers)), 1 + state.ordered):
        return "posted twice"
    outcome = record.get("state", "none")
    if outcome in NEVER_POSTED and record["marker"] in markers:
        return f"{outcome}, but posted"
    if outcome == "sent" and record["receipt"] not in map(_receipt, range(len(state.posts))):
        return "sent, but never posted"
    return None


def _breaches_of_answer(answer: _Answer) -> Iterator[str]:
    yield from _breaches_of_end(answer)
    holds = isinstance(answer.told.reply, _HOLDS)
    if holds and answer.now.get("token") != answer.question[1]:
        yield "told that it holds the claim, but does not"
    check = _CHECKS.get(str(answer.question[0]))
    if check is not None:
        yield from check(answer)


def _breaches_of_end(answer: _Answer) -> Iterator[str]:
    """What has ended stays so, unless it turns out to be sent, or a person begins a new round."""
    before, after = answer.states
    if before == after == "sent" and answer.was["receipt"] != answer.now["receipt"]:
        yield "a receipt in hand was thrown away"
    if after == "unproven" != before and not _cannot_tell(answer):
        yield "unproven, but no look was completed"
    if before == after or before not in TERMINAL or (before, after) == ("unproven", "sent"):
        return
    is_redrive = answer.question[0] == "redrive" and "redriven" in answer.told.events
    if before == "sent" or not is_redrive:
        yield f"{before} was final, but became {after}"


def _cannot_tell(answer: _Answer) -> bool:
    """Some look came to its end, or looks kill; or an earlier round may be posted, for good."""
    if answer.promised.may_be_posted:
        return True
    match answer.question:
        case ("give_up", *_) | ("look_later", _, "completed"):
            return True
        case ("look_later", *_):
            return answer.promised.is_looked_for
        case ("claim", *_):
            return int(answer.was.get("unheard_looks", 0)) + 1 >= MOST_UNHEARD_LOOKS
    return False


def _breaches_of_intent(answer: _Answer) -> Iterator[str]:
    if answer.states != ("claimed", "sending"):
        return
    if answer.promised.is_cancelled:
        yield "may post, though it was cancelled"
    if answer.promised.target not in {"", answer.now.get("target")}:
        yield "may post again, but elsewhere"


def _breaches_of_cancel(answer: _Answer) -> Iterator[str]:
    if isinstance(answer.told.reply, answers.Ok) and answer.now["state"] != "cancelled":
        yield "told that it is cancelled, but it goes on"


def _breaches_of_redrive(answer: _Answer) -> Iterator[str]:
    if answer.question[-1] == "post again" or not is_redriven(answer.was, answer.now):
        return
    if answer.in_time or answer.promised.may_be_posted or answer.was["state"] == "unproven":
        yield "redriven as never posted, but may be posted"


def _breaches_of_receipts(answer: _Answer) -> Iterator[str]:
    """A receipt in hand becomes the outcome; an alert where it had ended otherwise, or where there
    is another one.
    """
    question, now = answer.question, answer.now
    strays = {*_strays(now)} - {*_strays(answer.was)}
    alerts = [event for event in answer.told.events if event in {"late_post", "duplicate_post"}]
    may_be_stray = answer.was.get("state") in NEVER_POSTED | {"sent"}
    for receipt in map(_receipt, question[1 if question[0] == "mark_sent" else 2 :]):
        is_outcome = now["state"] == "sent" and now["receipt"] == receipt
        is_stray = may_be_stray and receipt in _strays(now)
        if not is_outcome and not is_stray:
            yield "a receipt in hand was thrown away"
        may_be_stray = True
    if len(alerts) < len(strays):
        yield "a post that should not be, without an alert"


_CHECKS: dict[str, Callable[[_Answer], Iterator[str]]] = {
    "cancel": _breaches_of_cancel,
    "intend": _breaches_of_intent,
    "mark_sent": _breaches_of_receipts,
    "redrive": _breaches_of_redrive,
    "settle_sent": _breaches_of_receipts,
}


def _strays(record: Record) -> list[str]:
    return record.get("stray_receipts", "").splitlines()


def _receipt(place: object) -> str:
    return mapping_to_text(receipt_of(str(place)))
