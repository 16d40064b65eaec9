"""What is known of a storm that has passed: what was to happen, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from middleware.keys import Delivery
from middleware.store import failing_closed
from projector.fold import ENDED
from sandbox.demo.followed import follow
from tests.accounts import folded_of, listed_as
from tests.storm.calls import Answer, Heard
from tests.storm.forecast import TENANTS

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from sandbox.demo.followed import Followed
    from tests.storm.calls import Call
    from tests.storm.forecast import Asked, Storm
    from tests.storm.site import Site

TAKEN = frozenset({"Accepted", "Duplicate"})
_Entries = list[tuple[str, dict[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What there was of it: `blows` and `faults` count by kind, those of POSTs and of reads apart.

    `received`: the POSTs that reached Slack meanwhile. `notices`: what went wrong with the storm
    itself, a sentence each.
    """

    blows: Counter[str]
    post_faults: Counter[str]
    read_faults: Counter[str]
    received: int
    notices: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """`asked` by `calls`, which were to be made; `answers` are those that were heard.

    `followed`: what was accepted. Of each of those: `told` are its outcome events in order, `heard`
    those that a service was told of, `folded` what its timeline holds, and `listed` how often it is
    listed under its outcome.
    """

    storm: Storm
    asked: Sequence[Asked]
    calls: Sequence[Call]
    answers: Sequence[Answer]
    trouble: Trouble
    followed: Sequence[Followed]
    posts: Sequence[Mapping[str, Any]]
    told: Mapping[Delivery, Sequence[str]]
    heard: Mapping[Delivery, Sequence[str]]
    folded: Mapping[Delivery, Sequence[str]]
    listed: Mapping[Delivery, int]


def observe(
    site: Site, storm: Storm, asked: Sequence[Asked], calls: Sequence[Call], trouble: Trouble
) -> Observed:
    """All is at rest, or will never be. Raises LedgerUnavailable."""
    lines = site.answers_file.read_text(encoding="utf-8").splitlines()
    answers = [Answer.model_validate_json(line) for line in lines]
    taken = {each.id for each in answers if each.does == "request" and each.answer in TAKEN}
    deliveries = [Delivery(each.tenant, each.id) for each in asked if each.id in taken]
    return Observed(
        storm=storm,
        asked=asked,
        calls=calls,
        answers=answers,
        trouble=trouble,
        followed=list(follow(site.ledger, deliveries)),
        posts=site.posts(),
        told=told(site),
        heard=heard(site),
        folded={each: folded_of(site.ledger, each) for each in deliveries},
        listed={
            Delivery(tenant, name): times
            for tenant in TENANTS
            for outcome in ENDED
            for name, times in listed_as(site.ledger, tenant, outcome).items()
        },
    )


def told(site: Site) -> dict[Delivery, list[str]]:
    """Every outcome event there is, in order. Raises LedgerUnavailable."""
    found: defaultdict[Delivery, list[str]] = defaultdict(list)
    keys = site.ledger.keys
    for partition in range(keys.partitions):
        with failing_closed():
            stream = site.ledger.store.client.xrange(keys.outcomes(partition))
        for _, fields in cast("_Entries", stream):
            found[Delivery(fields["tenant"], fields["id"])].append(fields["event"])
    return found


def heard(site: Site) -> dict[Delivery, list[str]]:
    """By a service that follows them, which may have heard one more than once."""
    found: defaultdict[Delivery, list[str]] = defaultdict(list)
    for line in site.heard_file.read_text(encoding="utf-8").splitlines():
        each = Heard.model_validate_json(line)
        found[Delivery(each.tenant, each.id)].append(each.event)
    return found
