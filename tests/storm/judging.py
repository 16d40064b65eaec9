"""What a storm is judged by: what Slack holds and what is said of each, against the ledger.

`doubled` and `lost` are counted in Slack, by marker and by the `ref` in the text, as the demo's
verdict counts them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from projector.status import OPEN_STATES
from sandbox.demo.verdict import compare, ref_in
from tests.accounts import told_otherwise
from tests.storm.observing import TAKEN
from tests.storm.shortfalls import shortfalls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from middleware.keys import Delivery
    from sandbox.demo.followed import Followed
    from tests.storm.calls import Answer
    from tests.storm.forecast import Kind
    from tests.storm.observing import Observed

# How each kind may end. What is asked for and may be posted may always end `sent`.
_ENDINGS: Mapping[Kind, frozenset[str]] = {
    "plain": frozenset({"sent"}),
    "later": frozenset({"sent"}),
    "expiring": frozenset({"sent", "expired"}),
    "doomed": frozenset({"rejected"}),
    "cancelled": frozenset({"sent", "cancelled"}),
}
_CANCELLED = frozenset({"cancelled"})
_NOT_POSTED = frozenset({"rejected", "expired", "cancelled"})
# Where nobody says that it was posted, nor that it was not.
_UNSETTLED = frozenset({"unproven", *OPEN_STATES})
_REPORTED = _NOT_POSTED | _UNSETTLED
# Told besides the outcome, never instead of it.
_ALARMS = ("late_post", "duplicate_post")
_OTHERWISE = ("untold", "unfolded", "unlisted")
# Counted from the culprits.
_COUNTED = ("lost", "contradicted", "unasked", "unheard", *_OTHERWISE, *_ALARMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`unanswered`: what services were to ask and were not answered, and requests that were not
    heard to be taken. `contradicted`: recorded as never posted, but posted; or `sent`, but not with
    that receipt. `unasked`: ended in a way that it was not meant to.

    By the ledger, not so by others: `untold` in the outcome events, `unheard` by a service that
    follows them, `unfolded` in the timeline, `unlisted` in the lists.
    """

    requested: int
    accepted: int
    duplicates: int
    unanswered: int = field(metadata={"must_be": 0})
    posted: int
    doubled: int = field(metadata={"must_be": 0})
    lost: int = field(metadata={"must_be": 0})
    sent: int
    rejected: int
    expired: int
    cancelled: int
    open: int = field(metadata={"must_be": 0})
    unproven: int
    contradicted: int = field(metadata={"must_be": 0})
    unasked: int = field(metadata={"must_be": 0})
    untold: int = field(metadata={"must_be": 0})
    unheard: int = field(metadata={"must_be": 0})
    unfolded: int = field(metadata={"must_be": 0})
    unlisted: int = field(metadata={"must_be": 0})
    late_post: int = field(metadata={"must_be": 0})
    duplicate_post: int = field(metadata={"must_be": 0})
    # Whom to look at, and what is wrong with it.
    culprits: Mapping[Delivery, tuple[str, ...]] = field(metadata={"is_row": False})
    may_be_unproven: bool = field(metadata={"is_row": False})
    # Sentences about what the numbers do not show.
    objections: tuple[str, ...] = field(metadata={"is_row": False})

    @property
    def holds(self) -> bool:
        broken = any(must_be not in (None, number) for _, number, must_be in self.rows())
        return not broken and not self.objections

    def rows(self) -> Iterator[tuple[str, int, int | None]]:
        """Name, number, and what it must be if that is known."""
        for each in fields(self):
            must_be = each.metadata.get("must_be")
            if each.name == "unproven" and not self.may_be_unproven:
                must_be = 0
            if each.metadata.get("is_row", True):
                yield each.name, getattr(self, each.name), must_be


def judge(observed: Observed) -> Verdict:
    may_be_unproven = not observed.storm.readable
    requests = [each for each in observed.calls if each.does == "request"]
    heard = [each for each in observed.answers if each.does == "request" and each.answer in TAKEN]
    states = Counter(each.state for each in observed.followed)
    in_slack = compare(observed.followed, observed.posts)
    culprits = dict(_culprits(observed, in_slack.named, may_be_unproven=may_be_unproven))
    wrong = Counter(fault for faults in culprits.values() for fault in faults)
    return Verdict(
        requested=len(requests),
        accepted=len(observed.followed),
        duplicates=len(heard) - len(observed.followed),
        unanswered=_unanswered(observed),
        posted=in_slack.posted,
        # Not only those that are somebody's.
        doubled=in_slack.doubled,
        sent=states["sent"],
        rejected=states["rejected"],
        expired=states["expired"],
        cancelled=states["cancelled"],
        open=sum(states[state] for state in OPEN_STATES),
        unproven=states["unproven"],
        **{name: wrong[name] for name in _COUNTED},
        culprits=culprits,
        may_be_unproven=may_be_unproven,
        objections=tuple(shortfalls(observed, unproven=states["unproven"])),
    )


def posts_by_delivery(
    followed: Sequence[Followed], posts: Sequence[Mapping[str, Any]]
) -> Mapping[Delivery, list[Mapping[str, Any]]]:
    """What Slack holds of each, by either name."""
    by_marker = {each.marker: each.delivery for each in followed if each.marker is not None}
    by_ref = {each.delivery.id: each.delivery for each in followed}
    found: dict[Delivery, list[Mapping[str, Any]]] = {each.delivery: [] for each in followed}
    for post in posts:
        owners = {by_marker.get(post["marker"]), by_ref.get(ref_in(post["text"]) or "")}
        for owner in owners:
            if owner is not None:
                found[owner].append(post)
    return found


def _unanswered(observed: Observed) -> int:
    """Of the calls that were to be made; a request was answered if it was heard to be taken."""
    to_be_made = Counter((each.does, each.tenant, each.id) for each in observed.calls)
    answered = Counter(
        (each.does, each.tenant, each.id)
        for each in observed.answers
        if (each.answer in TAKEN if each.does == "request" else each.answer is not None)
    )
    return (to_be_made - answered).total()


def _culprits(
    observed: Observed, named: frozenset[Delivery], *, may_be_unproven: bool
) -> Iterator[tuple[Delivery, tuple[str, ...]]]:
    """Each request with which something is wrong, and what."""
    endings = {each.id: _ENDINGS[each.kind] for each in observed.asked}
    # Who was told that it is cancelled relies on that.
    endings |= {each.id: _CANCELLED for each in observed.answers if _is_cancelled_by(each)}
    posts = posts_by_delivery(observed.followed, observed.posts)
    for each in observed.followed:
        told = observed.told.get(each.delivery, ())
        otherwise = told_otherwise(
            each.state,
            told=_without_alarms(told),
            folded=_without_alarms(observed.folded.get(each.delivery, ())),
            listed=observed.listed.get(each.delivery, 0),
        )
        own = posts[each.delivery]
        is_open = each.state in OPEN_STATES
        wrong = {
            "doubled": len(own) > 1,
            "lost": each.delivery not in named and each.state not in _REPORTED,
            "open": is_open,
            "unproven": each.state == "unproven" and not may_be_unproven,
            "contradicted": _contradicts(each, own),
            "unasked": not _may_end(each.state, endings[each.delivery.id]),
            "unheard": set(observed.heard.get(each.delivery, ())) != set(told),
            **{name: name in otherwise and not is_open for name in _OTHERWISE},
            **{alarm: alarm in told for alarm in _ALARMS},
        }
        if any(wrong.values()):
            yield each.delivery, tuple(name for name, is_so in wrong.items() if is_so)


def _without_alarms(events: Sequence[str]) -> list[str]:
    return [event for event in events if event not in _ALARMS]


def _may_end(state: str, endings: frozenset[str]) -> bool:
    """Whatever may be posted may be left unproven, if that may be at all."""
    return state in endings or ("sent" in endings and state == "unproven") or state in OPEN_STATES


def _is_cancelled_by(answer: Answer) -> bool:
    return answer.does == "cancel" and answer.answer == "Ok"


def _contradicts(followed: Followed, own: Sequence[Mapping[str, Any]]) -> bool:
    if followed.status is None or followed.state != "sent":
        return followed.state in _NOT_POSTED and bool(own)
    receipt = followed.status.receipt
    return receipt not in [{"channel": post["channel"], "ts": post["ts"]} for post in own]
