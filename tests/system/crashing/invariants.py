"""What must hold when all is at rest, whatever happened on the way.

Each violation is a sentence; none is the expected answer.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from middleware.keys import Delivery
from projector.fold import ENDED
from projector.stats import stats
from tests.accounts import folded_of, listed_as, told_otherwise
from tests.keyspace import immortal_keys
from tests.system.crashing.effects import ROLES
from tests.system.deliveries import TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from middleware.timing import Timing
    from projector.explanation import Evidence
    from projector.status import Status
    from sandbox.slack.posts import Post
    from tests.system.crashing.run import Run
    from tests.system.crashing.scenarios import Scenario

_NEVER_POSTED = frozenset({"rejected", "expired", "cancelled"})
# Faults of the stand-in's after which nobody knows what became of a POST.
_UNKNOWN = frozenset({"reset", "close", "silence"})


def unrest(run: Run) -> list[str]:
    """What still has to come to rest."""
    client, keys = run.ledger.store.client, run.ledger.keys
    statuses = run.statuses(*run.asked)
    found = [
        f"{each} is open: {statuses[each].status if each in statuses else 'lost'}"
        for each in run.asked
        if each not in statuses or statuses[each].status not in ENDED
    ]
    if (due := client.zcard(keys.due(TENANT))) > 0:
        found.append(f"{due} are due some time")
    if (queued := run.queued()) > 0:
        found.append(f"{queued} stand on the queue")
    if not run.is_folded():
        found.append("some events are not folded")
    # Who was started again may do harm, too.
    found += [f"the {role} has something to do" for role in ROLES if not run.is_idle(role)]
    if not run.may_keep_messages and (fetched := run.fetched()) > 0:
        found.append(f"{fetched} are not acknowledged")
    return found


def violations(run: Run, scenario: Scenario) -> list[str]:
    found = [*run.crew.notices, *unrest(run)]
    for status in run.statuses(*run.asked).values():
        if status.status in ENDED:
            found += _of_one(run, status, scenario)
    found += strays(run.posts, [post for each in run.asked for post in run.all_posts_of(each)])
    for key in immortal_keys(run.ledger.store.client, run.ledger.keys.prefix):
        # Dramatiq's own hold nothing but references; tenants stay known.
        if "{queue}" not in key and key != run.ledger.keys.known(0):
            found.append(f"{key} never expires")
    now = stats(run.ledger)
    still_open = now.waiting + now.delayed + now.claimed + now.sending + now.uncertain
    if still_open:
        found.append(f"{still_open} are counted as open")
    found += [
        f"a traceback in {log_file}" for log_file in run.crew.log_files if _has_traceback(log_file)
    ]
    return found


def strays(posts: Sequence[Post], asked_for: Sequence[Post]) -> Iterator[str]:
    """Whatever nobody asked for, wherever and however it stands: `posts` is all there is."""
    for post in posts:
        if post not in asked_for:
            yield f"nobody asked for {post.text!r} in {post.channel}, marked {post.marker}"
        elif post.marker is None:
            yield f"{post.text!r} was posted without a marker"


def _of_one(run: Run, status: Status, scenario: Scenario) -> Iterator[str]:
    name, outcome = status.message_request_id, status.status
    if outcome not in scenario.outcomes:
        yield f"{name} is {outcome}, not {' or '.join(sorted(scenario.outcomes))}"
    yield from _of_its_posts(run, status, most=scenario.posts)
    otherwise = told_otherwise(
        outcome,
        told=[event for each, event in run.told() if each == name],
        folded=folded_of(run.ledger, Delivery(TENANT, name)),
        listed=listed_as(run.ledger, TENANT, outcome)[name],
    )
    for sentence in otherwise.values():
        yield f"{name} is {outcome}, but {sentence}"


def _of_its_posts(run: Run, status: Status, *, most: int) -> Iterator[str]:
    name, outcome = status.message_request_id, status.status
    posts = run.all_posts_of(name)
    if len(posts) > most:
        yield f"{name} was posted {len(posts)} times"
    # Each round has a marker of its own.
    for marker, times in Counter(post.marker for post in posts).items():
        if times > 1:
            yield f"{name} was posted {times} times as {marker}"
    if outcome in _NEVER_POSTED and posts:
        yield f"{name} is {outcome}, but was posted"
    receipts = [{"channel": post.channel, "ts": post.ts} for post in posts]
    if outcome == "sent" and status.receipt not in receipts:
        yield f"{name} is sent by {status.receipt}, but Slack has {receipts}"
    if outcome == "unproven" and run.has_receipt_in_hand:
        yield f"{name} is unproven, but its worker lives and was told that it was posted"
    # Those of the last round that are not known to have been refused, or not taken for now.
    made = sum(each.stored or each.fault in _UNKNOWN for each in run.attempts_of(name))
    evidence = run.evidence_of(name)
    proofs = sum(each.what == "absent" for each in evidence)
    if made > 1 + proofs:
        yield f"{made} POSTs of {name} were made, with {proofs} proofs of absence"
    yield from _too_early(name, evidence, run.ledger.timing)


def _too_early(name: str, evidence: Sequence[Evidence], timing: Timing) -> Iterator[str]:
    """Proofs of absence by a read that began while a POST could still arrive."""
    may_arrive_ms = timing.post_deadline_ms + timing.settle_delay_ms
    intent_at_ms = 0
    for each in evidence:
        if each.what == "sending":
            intent_at_ms = each.at_ms
        elif each.what == "absent":
            after_ms = int(cast("str", each.details["read_begun"])) - intent_at_ms
            if after_ms < may_arrive_ms:
                yield (
                    f"{name} was called absent by a read begun {after_ms} ms after the intent, "
                    f"but its POST could arrive for {may_arrive_ms} ms"
                )


def _has_traceback(log_file: Path) -> bool:
    """One that is not Dramatiq's own to say."""
    lines = log_file.read_text(errors="replace").splitlines()
    return any(
        line.startswith("Traceback") and " dramatiq." not in before
        for before, line in pairwise(["", *lines])
    )
