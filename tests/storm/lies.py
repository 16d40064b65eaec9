"""The ways in which the stand-in for Slack answers badly, all alike in number.

Whether a struck call was done is part of the lie; only the stand-in knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from sandbox.slack.faults import (
    BadUtf8,
    Close,
    Drip,
    Empty,
    ErrorCode,
    GzipType,
    HalfClose,
    HalfReset,
    Held,
    Html,
    JsonList,
    RateLimited,
    Redirect,
    Reset,
    ServerError,
    Silence,
    Slow,
)
from tests.storm.forecast import LONGEST_HELD_MS, TIMING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.slack.faults import Fault
    from tests.storm.forecast import Storm

_SHORT_MS = TIMING.post_deadline_ms // 4
# The caller has given up by then.
_TOO_LONG_MS = TIMING.post_deadline_ms * 3 // 2

_OF_POSTS: tuple[Fault, ...] = (
    *(kind(stored=stored) for kind in (Reset, Close, Silence) for stored in (False, True)),
    *(kind(stored=stored) for kind in (HalfClose, HalfReset) for stored in (False, True)),
    *(kind(stored=stored) for kind in (JsonList, BadUtf8, GzipType) for stored in (False, True)),
    *(Html(status=status, stored=stored) for status, stored in ((200, False), (502, True))),
    *(Empty(status=status, stored=stored) for status, stored in ((200, True), (504, False))),
    ServerError(status=500, code="internal_error", stored=True),
    ServerError(stored=False),
    ErrorCode(code="internal_error", stored=True),
    ErrorCode(code="fatal_error", stored=False),
    *(Redirect(status=status) for status in (302, 307, 308)),
    *(RateLimited(retry_after=retry_after) for retry_after in (1, 2, None, "soon")),
    Slow(delay_ms=_SHORT_MS),
    Slow(delay_ms=_TOO_LONG_MS),
    Held(delay_ms=_SHORT_MS),
    Held(delay_ms=LONGEST_HELD_MS),
    Drip(delay_ms=_SHORT_MS),
    Drip(delay_ms=_TOO_LONG_MS),
)
# Whoever cannot read must not conclude that there is nothing.
_OF_HISTORY: tuple[Fault, ...] = (
    Reset(),
    Close(),
    HalfClose(),
    HalfReset(),
    Silence(),
    Html(),
    Empty(),
    JsonList(),
    BadUtf8(),
    ServerError(status=500),
    ErrorCode(code="internal_error"),
    Redirect(status=302),
    RateLimited(retry_after=1),
    RateLimited(retry_after=None),
    Slow(delay_ms=_TOO_LONG_MS),
    Drip(delay_ms=_SHORT_MS),
)
_HISTORY_METHODS = ("conversations.history", "conversations.replies")
_POST = "chat.postMessage"
# After any other, nobody knows what became of a POST.
KNOWN_FATES = frozenset({"429", "slow", "held back"})


def lies_of(storm: Storm) -> Iterator[Fault]:
    """With their shares, which add up to what the storm asks for."""
    yield from _shared(_OF_POSTS, _POST, storm.faults, storm)
    for method in _HISTORY_METHODS:
        yield from _shared(_OF_HISTORY, method, storm.history_faults, storm)


def is_of_post(fault: Fault) -> bool:
    return fault.method == _POST


def kind_of(fault: Fault) -> str:
    """What the caller meets, and whether that was before or after a POST was accepted."""
    when = "" if not is_of_post(fault) else " after" if fault.accepts else " before"
    match fault:
        case Reset() | Close() | Silence() | HalfClose() | HalfReset():
            return f"cut{when}"
        case Html() | Empty() | JsonList() | BadUtf8() | GzipType():
            return f"garbage{when}"
        case ErrorCode():
            return f"error code{when}"
        case ServerError():
            return f"{fault.status}{when}"
        case Redirect():
            return f"{fault.status}"
        case RateLimited():
            return "429"
        case Slow() | Drip():
            return "slow"
        case Held():
            return "held back"
        case unreachable:
            assert_never(unreachable)


def _shared(faults: Sequence[Fault], method: str, total: float, storm: Storm) -> Iterator[Fault]:
    if not total:
        return
    dice = storm.dice(method)
    share = total / len(faults)
    for number, fault in enumerate(faults):
        # The stand-in asks one after the other, so each is asked only by what the others left.
        probability = share / (1 - number * share)
        aim = {
            "method": method,
            "times": None,
            "probability": probability,
            "seed": dice.getrandbits(32),
        }
        yield fault.model_copy(update=aim)
