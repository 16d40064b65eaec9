"""The words of `postonce explain`: what a state means, what to do next, what each entry says.

Written for whoever is woken at night: one sentence each, with the next step in it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from actors.commands.status import pairs_text
from actors.commands.times import moment, span, time_of_day
from actors.slack.look_reasons import LOOK_REASONS
from middleware.answers import text_to_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projector.explanation import Evidence, Explanation

_MEANINGS = {
    "waiting": "It is to be posted: a worker takes it, or the sweeper brings it back by itself. "
    "Nothing is to be done, unless no worker runs (postonce doctor tells).",
    "claimed": "A worker holds it and has posted nothing yet. If that worker falls silent, another "
    "goes on when the lease ends. Nothing is to be done.",
    "sending": "A worker is posting it right now. If that worker falls silent, the POST counts as "
    "of unknown fate when the lease ends. Nothing is to be done.",
    "uncertain": "A POST of it may have arrived or not. A worker looks for it in Slack before "
    "anything is posted again. Nothing is to be done yet.",
    "sent": "Slack has it: {receipt}. Nothing is to be done.",
    "rejected": "It was not posted and will not be ({error}): {reason} Once that is mended, "
    "postonce redrive {name} --why TEXT has it tried again.",
    "expired": "It was not posted: its time ran out before. If it is still wanted, "
    "postonce redrive {name} --why TEXT has it tried again.",
    "cancelled": "It was cancelled before it was posted. Nothing is to be done; "
    "postonce redrive {name} --why TEXT would have it posted after all.",
    "unproven": "Whether it was posted cannot be told ({error}). {told}In Slack open {place} "
    "and look for it shortly after {intent}. If it is there, say where: "
    "postonce redrive {name} --mark-sent TS --why TEXT, with what Copy link in the menu of "
    "the message gives as TS, in quotes. If it is not, have it posted again: "
    "postonce redrive {name} --post-again --why TEXT.",
}
_FORGOTTEN = (
    "Only its trace in the log is left: its record is gone, because its retention is over or "
    "because the store lost it."
)
_STRAY = (
    "And Slack has a post of it that contradicts this: {stray}. Look at it there, and delete it "
    "if it should not be."
)

_EVENTS = {
    "requested": "asked for: channel {channel_code}, template {template_code}",
    "redriven": "told to all who follow: {order}its end is taken back",
    "late_post": "told to all who follow: posted after it had ended otherwise, {receipt}",
    "duplicate_post": "told to all who follow: posted a second time, {receipt}",
}
_OUTCOME = "{order}told to all who follow outcomes"
_TRANSITIONS = {
    "accepted": "taken: from here on it ends in exactly one outcome",
    "duplicate": "the same request came again; nothing changed",
    "conflict": "another request came under this id and was turned away",
    "dispatched": "put on the queue as message {message_id}",
    "dispatch refused": "message {message_id} was one too many and stayed off the queue",
    "swept": "its time had come, so it is put on the queue; if no worker takes it, once more after "
    "{again_after}",
    "claimed": "attempt {attempt}, by {by}, token {token}…",
    "held": "{by} found it held by another and left it alone",
    "lease over": "its holder fell silent; another may go on",
    "postponed": "nothing was posted ({reason}); again in {delay}, the attempt {attempt}",
    "sending": "intent written by token {token}…: from here on a POST may be on its way",
    "uncertain": "a POST of unknown fate: {why}",
    "looking": "{by} looks for it in Slack, token {token}…",
    "look told nothing": "the look could not tell ({why}); again in {delay}",
    "absent": "read from {read_begun} on and not there: it may be posted again",
    "cancel asked": "{order}it is cancelled unless a POST of it has arrived",
    "redriven": "{order}it had ended {ended} and is tried again as if it were new",
    "post ordered": "{order}it had ended {ended}, Slack may have it, and it is to be "
    "posted again all the same",
    "marked sent": "{order}a person has found it in Slack",
    "sent": "the receipt is recorded",
    "rejected": "{error}: {reason}",
    "expired": "its time ran out before it could be posted",
    "cancelled": "cancelled before it was posted",
    "unproven": "{error}: {reason}",
    "late_post": "Slack has a post of it, though it had ended otherwise: {receipt}",
    "duplicate_post": "Slack has a second post of it: {receipt}",
}


def verdict(explanation: Explanation) -> str:
    """What the state means and what to do next."""
    if explanation.status is None:
        return _FORGOTTEN
    facts = explanation.facts
    words = defaultdict(
        lambda: "not recorded",
        name=f"{explanation.status.tenant} {explanation.status.message_request_id}",
        error=facts.get("error", "no code"),
        reason=_sentence(facts.get("reason", "no reason is recorded")),
        receipt=_flat(facts.get("receipt")),
        stray="; ".join(map(_flat, facts.get("stray_receipts", "").splitlines())),
        told=_told(facts.get("error", "")),
        place=_place(text_to_mapping(facts.get("target", ""))),
        intent=_intent(explanation),
    )
    sentences = [_MEANINGS.get(explanation.status.status, "").format_map(words)]
    if "stray_receipts" in facts:
        sentences.append(_STRAY.format_map(words))
    return " ".join(sentences)


def account(evidence: Evidence) -> str:
    """What one entry says, with its details in it; never fails for an entry it does not know."""
    known = _TRANSITIONS.get(evidence.what, "")
    words = _EVENTS.get(evidence.what, _OUTCOME) if evidence.source == "event" else known
    if words:
        return words.format_map(_speakable(evidence.details))
    return ", ".join(f"{name} {value}" for name, value in evidence.details.items())


def _speakable(details: Mapping[str, object]) -> Mapping[str, str]:
    words: defaultdict[str, str] = defaultdict(lambda: "(not recorded)")
    words["order"] = _order(details)
    for name, value in details.items():
        match name, value:
            case "read_begun", int() | float() | str():
                words[name] = time_of_day(int(value))
            case "receipt", dict():
                words[name] = pairs_text(value)
            case "receipt", str():
                words[name] = _flat(value)
            case _, int() | float() if name.endswith("_ms"):
                words[name.removesuffix("_ms")] = span(int(value))
            case _:
                words[name] = str(value)
    return words


def _order(details: Mapping[str, object]) -> str:
    """`by ada@ops, the channel is back: `; a service that cancels gives neither."""
    by, why = details.get("by"), details.get("why")
    said = ", ".join(str(part) for part in (by and f"by {by}", why) if part)
    return f"{said}: " if said else ""


def _flat(receipt_json: str | None) -> str:
    return pairs_text(text_to_mapping(receipt_json)) if receipt_json else "not recorded"


def _told(reason: str) -> str:
    """Why no look could tell, for the reasons that have a sentence."""
    sentence = LOOK_REASONS.get(reason)
    return f"{sentence} " if sentence else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _place(target: Mapping[str, str]) -> str:
    if not target:
        # The store lost it; today's configuration may name another.
        return "the channel that its code named when it was posted"
    place = f"channel {target.get('channel', '(not recorded)')}"
    if "team" in target:
        place += f" of team {target['team']}"
    if "thread_ts" in target:
        place += f", the thread of {target['thread_ts']},"
    return place


def _intent(explanation: Explanation) -> str:
    """When the last POST could begin; of an old history that entry may be gone."""
    intents = [each.at_ms for each in explanation.evidence if each.what == "sending"]
    return moment(intents[-1]) if intents else "its time below"
