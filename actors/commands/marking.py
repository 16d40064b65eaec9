"""A person's finding becomes a receipt only if it can be of this request.

A ts that was mistyped, or is of another message, would stay on record for good: `sent` is an end
that no order takes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.commands.failures import UsageUnclear
from actors.commands.order_answers import Answered, marked
from actors.commands.times import moment
from middleware.answers import TooLate, Unknown, text_to_mapping
from middleware.operating import InProgress, mark_sent
from middleware.timing import MINUTE_MS
from projector.explanation import read_explanation
from projector.status import OPEN_STATES

if TYPE_CHECKING:
    from actors.commands.found_posts import FoundPost
    from actors.commands.redrive_options import MarkSent
    from middleware.ledger import Ledger
    from middleware.operating import MarkAnswer
    from projector.explanation import Explanation
    from projector.status import Status

# By so much Slack's clock and the store's may differ.
_CLOCKS_DIFFER_MS = 5 * MINUTE_MS
# Slack answers a message to a person with the id of the conversation that they have.
_PERSON = ("U", "W")


def mark(ledger: Ledger, asked: MarkSent) -> Answered:
    """Raise UsageUnclear for what cannot be a post of this request."""
    found = read_explanation(ledger, asked.delivery.tenant, asked.delivery.id)
    facts = {} if found is None else found.facts
    # Where the intent said that it goes; of what is marked already only the receipt is left.
    place = text_to_mapping(facts.get("target") or facts.get("receipt") or "")
    channel = _channel(asked, place.get("channel"))
    if channel is None:
        return marked(asked.delivery, _unmarkable(found), {})
    if asked.post.ts == place.get("thread_ts"):
        raise UsageUnclear(
            f"{asked.post.ts} begins the thread that this is a reply in: link the reply itself"
        )
    if found is not None and found.status is not None:
        # By the store's clock, as the request is: a person's own may be wrong.
        now_ms = ledger.run(ledger.due_deliveries(asked.delivery.tenant, limit=1)).now_ms
        _refuse_impossible(asked.post, found.status, now_ms=now_ms)
    receipt = {"channel": channel, "ts": asked.post.ts}
    answer = ledger.run(mark_sent(ledger, asked.delivery, asked.order, receipt=receipt))
    return marked(asked.delivery, answer, receipt)


def _channel(asked: MarkSent, recorded: str | None) -> str | None:
    """That of the command line before that of the record, unless only a link contradicts it."""
    linked = asked.post.channel
    if asked.channel is not None:
        return asked.channel
    if linked and recorded and linked != recorded and not recorded.startswith(_PERSON):
        raise UsageUnclear(
            f"the link is into {linked}, but the record says {recorded}: it is of another message; "
            f"or add --channel {linked} if you are sure"
        )
    return linked or recorded


def _refuse_impossible(post: FoundPost, status: Status, *, now_ms: int) -> None:
    if post.at_ms < status.requested_at_ms - _CLOCKS_DIFFER_MS:
        raise UsageUnclear(
            f"{post.ts} is {moment(post.at_ms)}, and this was only asked for at "
            f"{moment(status.requested_at_ms)}: it is of another message"
        )
    if post.at_ms > now_ms + _CLOCKS_DIFFER_MS:
        raise UsageUnclear(f"{post.ts} is {moment(post.at_ms)}, which is still to come")


def _unmarkable(found: Explanation | None) -> MarkAnswer:
    """What is in no doubt is refused without asking where its post is."""
    if found is None or found.status is None:
        return Unknown()
    state = found.status.status
    if state in {"unproven", "uncertain"}:
        raise UsageUnclear(
            "the record names no channel: give the message's link, or --channel, where the post is"
        )
    return InProgress(state) if state in OPEN_STATES else TooLate(state)
