"""What the options of `postonce redrive` mean together: one of three orders, or a dry run.

Nothing is changed on a command line that could mean two things, and none without a reason.
"""

from __future__ import annotations

import getpass
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.commands.failures import UsageUnclear
from actors.commands.filters import filter_of
from middleware.keys import Delivery
from middleware.operating import Order

if TYPE_CHECKING:
    from actors.commands.found_posts import FoundPost
    from projector.listing import Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """As given; `tenant` and `id` name one request, `of_tenant` to `newer_than_ms` are a filter."""

    tenant: str | None = None
    id: str | None = None
    of_tenant: str | None = None
    status: str | None = None
    error: str | None = None
    older_than_ms: int | None = None
    newer_than_ms: int | None = None
    post_again: bool = False
    post: FoundPost | None = None
    channel: str | None = None
    why: str | None = None
    by: str | None = None
    yes: bool = False


@dataclass(frozen=True, slots=True)
class RedriveOne:
    delivery: Delivery
    order: Order
    post_again: bool


@dataclass(frozen=True, slots=True)
class MarkSent:
    """`channel` is None where the post's link or the record is to tell it."""

    delivery: Delivery
    order: Order
    post: FoundPost
    channel: str | None


@dataclass(frozen=True, slots=True)
class RedriveMany:
    wanted: Filter
    order: Order
    post_again: bool


@dataclass(frozen=True, slots=True)
class ShowMany:
    """A dry run: what `RedriveMany` would redrive."""

    wanted: Filter


Meaning = RedriveOne | MarkSent | RedriveMany | ShowMany


def meaning_of(options: Options, *, now_ms: int) -> Meaning:
    """Raise UsageUnclear."""
    filters = (
        options.of_tenant,
        options.status,
        options.error,
        options.older_than_ms,
        options.newer_than_ms,
    )
    is_filtered = options.yes or any(value is not None for value in filters)
    if options.channel is not None and options.post is None:
        raise UsageUnclear("--channel only goes with --mark-sent")
    if options.post is not None and options.post_again:
        raise UsageUnclear("either --mark-sent or --post-again, not both")
    linked = None if options.post is None else options.post.channel
    if linked and options.channel and linked != options.channel:
        raise UsageUnclear(f"the link is into {linked}, and --channel says {options.channel}")
    if options.tenant is not None and is_filtered:
        raise UsageUnclear("either TENANT ID, or options that choose many (and --yes), not both")
    if options.tenant is None:
        return _many(options, now_ms=now_ms)
    if options.id is None:
        raise UsageUnclear("say which request of this tenant: TENANT ID")
    delivery = Delivery(options.tenant, options.id)
    if options.post is not None:
        return MarkSent(delivery, _order(options), options.post, options.channel)
    return RedriveOne(delivery, _order(options), options.post_again)


def _many(options: Options, *, now_ms: int) -> RedriveMany | ShowMany:
    if options.post is not None:
        raise UsageUnclear("--mark-sent is for one request: give TENANT ID")
    if options.status is None:
        raise UsageUnclear("say what to redrive: TENANT ID, or --status for many")
    if (options.status == "unproven") != options.post_again:
        raise UsageUnclear(
            "--status unproven and --post-again go together: Slack may have what is unproven, "
            "and then has it twice"
        )
    wanted = filter_of(
        tenant=options.of_tenant,
        status=options.status,
        error=options.error,
        older_than_ms=options.older_than_ms,
        newer_than_ms=options.newer_than_ms,
        now_ms=now_ms,
    )
    if not options.yes:
        return ShowMany(wanted)
    return RedriveMany(wanted, _order(options), options.post_again)


def _order(options: Options) -> Order:
    if options.why is None:
        raise UsageUnclear("--why is missing: a short sentence, kept on record")
    return Order(by=options.by or whoever(), why=options.why)


def whoever() -> str:
    """Who sits at the keyboard, as far as this machine knows."""
    try:
        user = getpass.getuser()
    # As Python 3.11 says that a user id has no name, and as later ones do.
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
