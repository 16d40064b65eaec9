"""All kinds of answers that a worker may get: from the ledger, and from the user's functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from middleware import answers
from middleware.errors import LedgerUnavailable
from middleware.fates import Absent, CannotTell, Found, NotNow, Posted, Ready, Refused
from middleware.timing import HOUR_MS
from tests.explorer.asking import TICK_MS
from tests.explorer.state import FIRST_CHANNEL, START_MS, Post

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MARKER = "round-1"
TARGET = {"channel": FIRST_CHANNEL}


class Interrupted(BaseException):
    """As Dramatiq interrupts an actor, at any place."""


class Failed(Exception):
    """As anything of the user's may fail."""


_RETURNED = (answers.Ok(), answers.Lost(), answers.Settled("cancelled"))
_DOUBT = answers.Uncertain(
    marker=MARKER,
    thread_ts=None,
    target=TARGET,
    intent_at_ms=START_MS - TICK_MS,
    reconcile_at_ms=START_MS,
    now_ms=START_MS,
    returns=0,
)
LEDGERS: Mapping[str, Sequence[object]] = {
    "claim": (
        answers.Granted(1, MARKER, None, 0),
        _DOUBT,
        answers.Wait(START_MS, "held"),
        answers.Settled("sent"),
        answers.Unknown(),
    ),
    "intend": (
        answers.Go(HOUR_MS, TARGET),
        # It comes when the time is over.
        answers.Go(0, TARGET),
        answers.Lost(),
        answers.Settled("expired"),
    ),
    "settle_sent": (answers.Ok(), answers.Late(), answers.StrayPost("late_post")),
    "settle_rejected": _RETURNED,
    "postpone": _RETURNED,
    "doubt": _RETURNED,
    "look_later": _RETURNED,
    "give_up": _RETURNED,
    "absent": (
        answers.Reclaimed(2),
        answers.Lost(),
        answers.TooEarly(),
        answers.Settled("cancelled"),
    ),
}
UNHEARD = (LedgerUnavailable("away"), Interrupted())
# What may be there when a look is made: nothing; or one post that any read finds, and one that it
# may find.
POSTS = (
    (),
    (
        Post(FIRST_CHANNEL, MARKER, START_MS - 2 * TICK_MS, -1),
        Post(FIRST_CHANNEL, MARKER, START_MS + TICK_MS, -1),
    ),
)
# An actor performs its claim; or it does not, or fails before.
ACTORS = ("performs", "returns", LedgerUnavailable("away"), Failed(), Interrupted())
PREPARED = (
    Ready(TARGET, "text"),
    Refused("invalid", "it cannot be rendered"),
    NotNow("held"),
    Failed(),
    Interrupted(),
)


def posted(receipt: Mapping[str, str]) -> Sequence[object]:
    refused = Refused("is_archived", "the channel is archived")
    return Posted(receipt), NotNow("ratelimited"), refused, "no answer", Failed(), Interrupted()


def looked(receipts: Sequence[Mapping[str, str]]) -> Sequence[object]:
    seen: Sequence[object] = (Absent(), Absent(START_MS - TICK_MS))
    if receipts:
        seen = (Found(receipts[0]), Found(receipts[0], tuple(receipts[1:])))
    unsure = (CannotTell("lag", final=False), CannotTell("missing_scope", final=True))
    return *seen, *unsure, NotNow("ratelimited"), Failed(), Interrupted()
