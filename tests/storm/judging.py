"""What a storm is judged by: what Slack holds and what followers were told, against the ledger.

`doubled` and `lost` are counted in Slack, by marker and by the `ref` in the text, as the demo's
verdict counts them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from projector.status import OPEN_STATES
from sandbox.demo.verdict import compare, ref_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from middleware.keys import Delivery
    from sandbox.demo.followed import Followed
    from tests.storm.calls import Answer
    from tests.storm.forecast import Asked, Kind

# How each kind may end. What is asked for and may be posted may always end `sent`.
_ENDINGS: Mapping[Kind, frozenset[str]] = {
    "plain": frozenset({"sent"}),
    "later": frozenset({"sent"}),
    "expiring": frozenset({"sent", "expired"}),
    "doomed": frozenset({"rejected"}),
    "cancelled": frozenset({"sent", "cancelled"}),
}
_NOT_POSTED = frozenset({"rejected", "expired", "cancelled"})
# Where nobody says that it was posted, nor that it was not.
_UNSETTLED = frozenset({"unproven", *OPEN_STATES})
_REPORTED = _NOT_POSTED | _UNSETTLED
TAKEN = frozenset({"Accepted", "Duplicate"})
# Told besides the outcome, never instead of it.
_ALARMS = ("late_post", "duplicate_post")
# Counted from the culprits.
_COUNTED = ("lost", "contradicted", "unasked", "untold", *_ALARMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that is known once the storm has passed."""

    asked: Sequence[Asked]
    answers: Sequence[Answer]
    # Of what was accepted.
    followed: Sequence[Followed]
    posts: Sequence[Mapping[str, Any]]
    # The outcome events of each, in order.
    told: Mapping[Delivery, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`contradicted`: recorded as never posted, but posted; or `sent`, but not with that receipt.

    `unasked`: ended in a way that it was not meant to. `untold`: whoever follows outcomes believes
    something else than the ledger. `unanswered`: requests that were not heard to be taken.
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
    late_post: int = field(metadata={"must_be": 0})
    duplicate_post: int = field(metadata={"must_be": 0})
    # Whom to look at, and what is wrong with it.
    culprits: Mapping[Delivery, tuple[str, ...]] = field(metadata={"is_row": False})
    may_be_unproven: bool = field(metadata={"is_row": False})

    @property
    def holds(self) -> bool:
        return all(must_be in (None, number) for _, number, must_be in self.rows())

    def rows(self) -> Iterator[tuple[str, int, int | None]]:
        """Name, number, and what it must be if that is known."""
        for each in fields(self):
            must_be = each.metadata.get("must_be")
            if each.name == "unproven" and not self.may_be_unproven:
                must_be = 0
            if each.metadata.get("is_row", True):
                yield each.name, getattr(self, each.name), must_be


def judge(observed: Observed, *, may_be_unproven: bool) -> Verdict:
    heard = [each.answer in TAKEN for each in observed.answers if each.does == "request"]
    states = Counter(each.state for each in observed.followed)
    in_slack = compare(observed.followed, observed.posts)
    culprits = dict(_culprits(observed, in_slack.named, may_be_unproven=may_be_unproven))
    wrong = Counter(fault for faults in culprits.values() for fault in faults)
    return Verdict(
        requested=len(heard),
        accepted=len(observed.followed),
        duplicates=sum(heard) - len(observed.followed),
        unanswered=heard.count(False),
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


def _culprits(
    observed: Observed, named: frozenset[Delivery], *, may_be_unproven: bool
) -> Iterator[tuple[Delivery, tuple[str, ...]]]:
    """Each request with which something is wrong, and what."""
    kinds = {each.id: each.kind for each in observed.asked}
    posts = posts_by_delivery(observed.followed, observed.posts)
    for each in observed.followed:
        told = observed.told.get(each.delivery, ())
        outcomes = [event for event in told if event not in _ALARMS]
        own = posts[each.delivery]
        is_open = each.state in OPEN_STATES
        wrong = {
            "doubled": len(own) > 1,
            "lost": each.delivery not in named and each.state not in _REPORTED,
            "open": is_open,
            "unproven": each.state == "unproven" and not may_be_unproven,
            "contradicted": _contradicts(each, own),
            "unasked": each.state not in {*_ENDINGS[kinds[each.delivery.id]], *_UNSETTLED},
            "untold": not is_open and outcomes[-1:] != [each.state],
            **{alarm: alarm in told for alarm in _ALARMS},
        }
        if any(wrong.values()):
            yield each.delivery, tuple(name for name, is_so in wrong.items() if is_so)


def _contradicts(followed: Followed, own: Sequence[Mapping[str, Any]]) -> bool:
    if followed.status is None or followed.state != "sent":
        return followed.state in _NOT_POSTED and bool(own)
    receipt = followed.status.receipt
    return receipt not in [{"channel": post["channel"], "ts": post["ts"]} for post in own]
