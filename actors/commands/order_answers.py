"""What became of a person's order, in a word for programs and in a sentence for the person.

A refusal says what would be accepted instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from actors.commands.exit_codes import ExitCode
from actors.commands.screen import complain, say, say_json
from actors.commands.status import pairs_text, unknown_request
from middleware.answers import Asked, Ok, TooLate, Unknown
from middleware.operating import InProgress, MayBePosted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.answers import CancelAnswer
    from middleware.keys import Delivery
    from middleware.operating import MarkAnswer, RedriveAnswer


@dataclass(frozen=True, slots=True)
class Answered:
    """`status` is what the request is in, as the ledger said with its answer."""

    delivery: Delivery
    result: str
    status: str | None
    sentence: str
    exit_code: ExitCode = ExitCode.REFUSED

    def tell(self, *, as_json: bool) -> ExitCode:
        name = self.delivery
        if as_json:
            say_json(
                {
                    "tenant": name.tenant,
                    "message_request_id": name.id,
                    "result": self.result,
                    "status": self.status,
                }
            )
        elif self.exit_code is ExitCode.UNKNOWN_REQUEST:
            return unknown_request(name.tenant, name.id)
        elif self.exit_code is ExitCode.DONE:
            say(f"{name}: {self.sentence}")
        else:
            complain(f"postonce: {name} {self.sentence}")
        return self.exit_code


def redriven(delivery: Delivery, answer: RedriveAnswer) -> Answered:
    match answer:
        case Ok():
            sentence = "redriven; it is to be posted as if it were new"
            return Answered(delivery, "redriven", "waiting", sentence, ExitCode.DONE)
        case InProgress(state=state):
            return _in_progress(delivery, state)
        case MayBePosted(outcome="unproven"):
            sentence = (
                "is unproven: Slack may have it. Look there, as postonce explain "
                f"{delivery.tenant} {delivery.id} says; then give --mark-sent TS if it is there, "
                "--post-again if it is not"
            )
            return Answered(delivery, "may_be_posted", "unproven", sentence)
        case MayBePosted(outcome=outcome):
            sentence = f"is {outcome}, but Slack has a post of it; --post-again makes another"
            return Answered(delivery, "may_be_posted", outcome, sentence)
        case TooLate(outcome="sent"):
            sentence = "is sent: what Slack has is never posted again"
            return Answered(delivery, "too_late", "sent", sentence)
        case TooLate(outcome=outcome):
            sentence = f"is {outcome} and was never posted: redrive it without --post-again"
            return Answered(delivery, "too_late", outcome, sentence)
        case Unknown():
            return _unknown(delivery)
        case unreachable:
            assert_never(unreachable)


def marked(delivery: Delivery, answer: MarkAnswer, receipt: Mapping[str, str]) -> Answered:
    match answer:
        case Ok():
            sentence = f"marked as sent, {pairs_text(receipt)}"
            return Answered(delivery, "marked_sent", "sent", sentence, ExitCode.DONE)
        case InProgress(state=state):
            return _in_progress(delivery, state)
        case TooLate(outcome="sent"):
            sentence = "is sent already, with another receipt, which stands"
            return Answered(delivery, "too_late", "sent", sentence)
        case TooLate(outcome=outcome):
            sentence = f"is {outcome}: only what is unproven is marked as sent"
            return Answered(delivery, "too_late", outcome, sentence)
        case Unknown():
            return _unknown(delivery)
        case unreachable:
            assert_never(unreachable)


def cancelled(delivery: Delivery, answer: CancelAnswer) -> Answered:
    match answer:
        case Ok():
            sentence = "cancelled; it was not posted"
            return Answered(delivery, "cancelled", "cancelled", sentence, ExitCode.DONE)
        case Asked():
            sentence = (
                "asked; a POST of it may be on its way, so it is cancelled only once that is "
                "proven absent"
            )
            return Answered(delivery, "asked", None, sentence, ExitCode.DONE)
        case TooLate(outcome=outcome):
            sentence = f"is {outcome}: too late to cancel it"
            return Answered(delivery, "too_late", outcome, sentence)
        case Unknown():
            return _unknown(delivery)
        case unreachable:
            assert_never(unreachable)


def _in_progress(delivery: Delivery, state: str) -> Answered:
    sentence = f"is {state}: it has not ended yet, and goes on by itself"
    return Answered(delivery, "in_progress", state, sentence)


def _unknown(delivery: Delivery) -> Answered:
    return Answered(delivery, "unknown", None, "", ExitCode.UNKNOWN_REQUEST)
