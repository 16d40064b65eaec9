"""What of a record makes a difference to what can follow, and what of its epoch.

Times count from now, and what is past is as far past as any script can tell. A field that is not
listed here is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.explorer.asking import LONGEST_WINDOW_MS, MOST_UNHEARD_LOOKS, TICK_MS, TIMING
from tests.explorer.state import START_MS, TERMINAL
from tests.explorer.told import identity_of
from tests.explorer.working import TOKENS, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# How far past a time must be to make no difference any more, where that is more than nothing.
LONGEST_PAUSE_MS = TIMING.settle_delay_ms + TICK_MS
# A record that is older than its epoch is looked for from then on, until this limit.
_LONGEST_DOUBT_MS = TIMING.reconcile_limit_ms
_PAST_MS = {
    "due": 0,
    "expires_at": 0,
    "lease_until": 0,
    "not_before": 0,
    "reconcile_at": _LONGEST_DOUBT_MS,
    # Asked again, an intent answers with what is left until `post_by`.
    "intent_at": TIMING.post_deadline_ms + LONGEST_PAUSE_MS,
}
# Repetitions beyond the longest window differ in nothing, nor do looks beyond their limit.
_MOST = {
    "dispatches": (LONGEST_WINDOW_MS // TIMING.dispatch_window_ms).bit_length() - 1,
    "looks": 1,
    "unheard_looks": MOST_UNHEARD_LOOKS,
}
_WHOLE = {
    "attempts",
    "marker",
    "perhaps_posted",
    "receipt",
    "state",
    "stray_receipts",
    "target",
}
# Which message it was does not matter while any other may come, too.
_ALWAYS = {"message_id": "m1", "message": "m1", "absences": "1", "cancel_asked": "1"}
# The same in every state, or only told to people.
_TOLD = {"accepted_at": str(START_MS), "returns": "0"} | dict.fromkeys(
    ("error", "reason", "counted", "settled_at"), ""
)
_SAME = {"actor", "fingerprint", "max_attempts", "priority", "queue", "thread_ts"}
_OF_THE_DEAD = "token of the dead"
# A server that answers, one that did, and one that never will.
THIS, _ANOTHER, NOBODY = 1, 0, -1


def fields_of(
    record: Mapping[str, str], now_ms: int, begun_ms: int, tokens: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    is_terminal = record.get("state") in TERMINAL
    for name, text in record.items():
        if name in _PAST_MS:
            past_ms = max(_PAST_MS[name], -begun_ms if name == "reconcile_at" else 0)
            is_told = is_terminal or (name == "intent_at" and record["state"] != "sending")
            # Of those that are only told, all are as good as one that is not over.
            yield name, str(START_MS + TICK_MS) if is_told else moved(int(text), now_ms, past_ms)
        elif name in _MOST:
            yield name, str(min(int(text), _MOST[name]))
        elif name in _WHOLE or name in _SAME:
            yield name, text
        elif name in _ALWAYS:
            yield name, _ALWAYS[name]
        elif name in _TOLD:
            yield name, _TOLD[name]
        elif name in TOKENS:
            yield from _token(name, text, tokens, is_uncertain=record.get("state") == "uncertain")
        elif name != "epoch":
            raise AssertionError(f"say what the record's field {name} means to what can follow")


def _token(
    name: str, text: str, tokens: tuple[str, ...], *, is_uncertain: bool
) -> Iterator[tuple[str, str]]:
    if text in tokens:
        yield name, token_of(tokens.index(text))
    elif name == "token" and is_uncertain:
        # Whoever looked has died, which is counted; any other that nobody has is as good as none.
        yield name, _OF_THE_DEAD


def epoch_of(
    epoch: Mapping[str, str], record: Mapping[str, str], server: int, now_ms: int
) -> Mapping[str, str]:
    """Numbers only differ or do not; what began it is told from who answers now."""
    is_entered = epoch.get("replication_id") == identity_of(server).split()[1]
    # What has ended belongs to no epoch.
    is_older = is_entered and record.get("epoch", epoch["number"]) != epoch["number"]
    look_from_ms = int(epoch["look_from"]) if is_older else now_ms
    run_id, replication_id, _ = identity_of(THIS if is_entered else _ANOTHER).split()
    return {
        "number": "2" if is_older else "1",
        "run_id": run_id,
        "replication_id": replication_id,
        "durable": epoch["durable"],
        "look_from": moved(look_from_ms, now_ms, _LONGEST_DOUBT_MS),
    }


def moved(at_ms: int, now_ms: int, past_ms: int) -> str:
    return str(START_MS + max(at_ms - now_ms, -past_ms))
