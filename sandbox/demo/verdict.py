"""What the demo is judged by: what Slack holds against what was asked, request by request.

`posted` is counted in Slack alone. A message belongs to a request by its marker, which the ledger
gave out, and by the `ref` in its own text, which came with the request; both must say the same.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from projector.status import OPEN_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from middleware.keys import Delivery
    from sandbox.demo.followed import Followed

_REF = re.compile(r"\bref ([0-9a-f-]{36})$")


@dataclass(frozen=True, slots=True)
class InSlack:
    """`named`: requests of which Slack holds a message by both names; `doubled` as in `Verdict`."""

    posted: int
    named: frozenset[Delivery]
    doubled: int


def compare(followed: Sequence[Followed], posts: Sequence[Mapping[str, Any]]) -> InSlack:
    """`posts` is what Slack holds."""
    markers = {post["marker"] for post in posts} - {None}
    refs = {ref_in(post["text"]) for post in posts}
    by_marker = {each.delivery for each in followed if each.marker in markers}
    by_ref = {each.delivery for each in followed if each.delivery.id in refs}
    return InSlack(
        posted=len(posts),
        named=frozenset(by_marker & by_ref),
        doubled=len(posts) - min(len(by_marker), len(by_ref)),
    )


def ref_in(text: str) -> str | None:
    """The request that a message says it is of."""
    found = _REF.search(text)
    return found[1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`doubled`: messages in Slack beyond the first of each request, or of no request at all.

    `lost`: requests that Slack holds no message of and that are not reported as `rejected`, `open`
    or `unproven` either.
    """

    requested: int
    accepted: int
    duplicates: int
    posted: int
    doubled: int = field(metadata={"must_be": 0})
    lost: int = field(metadata={"must_be": 0})
    rejected: int = field(metadata={"must_be": 0})
    open: int = field(metadata={"must_be": 0})
    unproven: int = field(metadata={"must_be": 0})
    seconds: float
    # Sentences about what the numbers do not show.
    objections: tuple[str, ...] = field(metadata={"is_row": False})

    @property
    def holds(self) -> bool:
        broken = any(must_be not in (None, value) for _, value, must_be in self.rows())
        return not broken and not self.objections

    def rows(self) -> Iterator[tuple[str, float, int | None]]:
        """Name, number, and what it must be if that is known."""
        for each in fields(self):
            if each.metadata.get("is_row", True):
                yield each.name, getattr(self, each.name), each.metadata.get("must_be")


def judge(
    *,
    answers: Mapping[str, int],
    followed: Sequence[Followed],
    posts: Sequence[Mapping[str, Any]],
    seconds: float,
) -> Verdict:
    """`answers` counts them by kind; `posts` is what Slack holds."""
    states = Counter(each.state for each in followed)
    in_slack = compare(followed, posts)
    reported = {"rejected", "unproven", *OPEN_STATES}
    lost = [
        each
        for each in followed
        if each.delivery not in in_slack.named and each.state not in reported
    ]
    return Verdict(
        requested=sum(answers.values()),
        accepted=answers.get("Accepted", 0),
        duplicates=answers.get("Duplicate", 0),
        posted=in_slack.posted,
        doubled=in_slack.doubled,
        lost=len(lost),
        rejected=states["rejected"],
        open=sum(states[state] for state in OPEN_STATES),
        unproven=states["unproven"],
        seconds=round(seconds, 1),
        objections=tuple(_objections(answers, followed)),
    )


def _objections(answers: Mapping[str, int], followed: Sequence[Followed]) -> Iterator[str]:
    accepted, duplicates = answers.get("Accepted", 0), answers.get("Duplicate", 0)
    if not accepted == duplicates == len(followed) == sum(answers.values()) - duplicates:
        yield f"of {len(followed)} requests made twice the answers were {dict(answers)}"
    for each in followed:
        if each.state == "unproven":
            error = each.status.error if each.status is not None else None
            yield f"{each.delivery} is unproven ({error})"
        elif each.state not in {"sent", "rejected", *OPEN_STATES}:
            yield f"{each.delivery} is {each.state}"
