"""What one storm is made of, drawn before it begins: the same seed, the same storm.

Each part has dice of its own, so that more kills do not change what is requested. By the seed are:
what is requested when, in how many copies; who is killed, paused or robbed when; which fault a
call that is struck meets. Not by the seed is which request any of this meets: processes race.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from middleware.timing import SECOND_MS, Timing
from tests.storm.calls import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

# As short as the contract allows with a POST that may take a second: recovery is seen in seconds.
# Only the settle delay is longer than it need be, for the sake of the pauses.
TIMING = Timing(
    post_deadline_ms=1 * SECOND_MS,
    lease_ms=1_600,
    settle_delay_ms=4 * SECOND_MS,
    dispatch_window_ms=2 * SECOND_MS,
)
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.4
# A proxy that holds a POST for longer than its caller waits.
LONGEST_HELD_MS = 1_400
# How much later than it was posted a message is read.
HISTORY_LAG_MS = 100

# Half of the pauses outlast the lease, so that another worker takes over from one that goes on.
assert TIMING.lease_ms < LONGEST_PAUSE_S * SECOND_MS
# The promise has a hole: who is stopped between his last look at the clock and his write to the
# socket for longer than the settle delay posts what was proven absent. A storm that may demand
# `doubled 0` stays below it, even where a pause, a proxy and a slow history meet in one POST.
assert TIMING.settle_delay_ms > LONGEST_PAUSE_S * SECOND_MS + LONGEST_HELD_MS + HISTORY_LAG_MS

HOSTS = 2
TENANTS = ("acme", "globex", "initech")
CHANNELS = ("ops", "sales", "alerts")
TEMPLATE, UNKNOWN_TEMPLATE = "hi", "unheard-of"

Kind = Literal["plain", "later", "expiring", "doomed", "cancelled"]
Victim = Literal["worker", "projector", "valkey"]

# Of fifty requests; each of the others ends in another way if nothing is posted before.
_KINDS: dict[Kind, int] = {"plain": 45, "later": 2, "expiring": 1, "doomed": 1, "cancelled": 1}
_VICTIMS: dict[Victim, int] = {"worker": 5, "projector": 2, "valkey": 3}
# The first one counts; none is asked for only once.
_MOST_COPIES = 3
_COPY_WITHIN_S = 3.0
_NUDGED = 0.25
# They are looked for in another way: a thread is read, not its channel.
_REPLIES = 0.15
_LATER_S = 3.0
_EXPIRES_S = 2.0
_CANCEL_WITHIN_S = 1.0
# How long a killed store stays away.
_SHORTEST_AWAY_S, _LONGEST_AWAY_S = 0.2, 1.2
# Nothing is struck before the first requests are on their way.
_FIRST_BLOW = 0.08
_ROBBERIES_A_SECOND = 0.5
_WHOLE_QUEUE_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """`rate` is in requests a second; `faults` and `history_faults` are shares of the calls."""

    seconds: float
    kills: int
    faults: float
    history_faults: float
    seed: int
    rate: float
    readable: bool = True

    def dice(self, what: str) -> random.Random:
        return random.Random(f"{self.seed}:{what}")  # noqa: S311 - a storm to repeat, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, and how it may end: not every one is meant to be posted."""

    tenant: str
    id: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """`host` has the worker or projector; `seconds` that it is paused or, as killed store, away."""

    at_s: float
    victim: Victim
    host: int
    does: Literal["kill", "pause"]
    seconds: float


@dataclass(frozen=True, slots=True)
class Robbery:
    """Messages vanish from the queue: some of them, or (`share` None) everything there is."""

    at_s: float
    share: float | None


def requests_of(storm: Storm) -> tuple[list[Asked], list[Call]]:
    """What is asked for, and the calls by which services ask for it, in the order of time."""
    dice = storm.dice("requests")
    asked: list[Asked] = []
    calls: list[Call] = []
    for kind in islice(_kinds(dice), round(storm.seconds * storm.rate)):
        one = Asked(
            tenant=dice.choice(TENANTS),
            id=str(UUID(int=dice.getrandbits(128), version=4)),
            kind=kind,
        )
        asked.append(one)
        calls += _calls_for(one, storm, dice)
    return asked, sorted(calls, key=lambda call: call.at_s)


def blows_of(storm: Storm) -> list[Blow]:
    """As many kills as asked for, and half as many pauses, in the order of time."""
    dice = storm.dice("blows")
    kills = _victims(storm.kills, dice)
    pauses = _victims((storm.kills + 1) // 2, dice)
    away = [dice.uniform(_SHORTEST_AWAY_S, _LONGEST_AWAY_S) for _ in kills]
    lease_s = TIMING.lease_ms / SECOND_MS
    # Shorter and longer than the lease in turn.
    still = [
        dice.uniform(lease_s, LONGEST_PAUSE_S)
        if number % 2
        else dice.uniform(SHORTEST_PAUSE_S, lease_s)
        for number, _ in enumerate(pauses, start=1)
    ]
    blows = [_blow("kill", *one, storm, dice) for one in zip(kills, away, strict=True)] + [
        _blow("pause", *one, storm, dice) for one in zip(pauses, still, strict=True)
    ]
    return sorted(blows, key=lambda blow: blow.at_s)


def robberies_of(storm: Storm) -> list[Robbery]:
    dice = storm.dice("robberies")
    some = [
        Robbery(storm.seconds * dice.uniform(_FIRST_BLOW, 1), dice.uniform(0.1, 0.9))
        for _ in range(max(1, round(storm.seconds * _ROBBERIES_A_SECOND)))
    ]
    everything = [
        Robbery(storm.seconds * dice.uniform(_FIRST_BLOW, 1), None)
        for _ in range(max(1, round(storm.seconds / _WHOLE_QUEUE_EVERY_S)))
    ]
    return sorted([*some, *everything], key=lambda robbery: robbery.at_s)


def _kinds(dice: random.Random) -> Iterator[Kind]:
    """Without end; some of each kind in every fifty."""
    deck = [kind for kind, count in _KINDS.items() for _ in range(count)]
    while True:
        yield from dice.sample(deck, k=len(deck))


def _calls_for(asked: Asked, storm: Storm, dice: random.Random) -> Iterator[Call]:
    first_s = dice.uniform(0, storm.seconds)
    copies = [dice.uniform(0, _COPY_WITHIN_S) for _ in range(dice.randrange(1, _MOST_COPIES))]
    call = Call(
        at_s=first_s,
        does="request",
        tenant=asked.tenant,
        id=asked.id,
        channel_code=dice.choice(CHANNELS),
        template_code=UNKNOWN_TEMPLATE if asked.kind == "doomed" else TEMPLATE,
        is_reply=dice.random() < _REPLIES,
        send_at_s=first_s + _LATER_S if asked.kind == "later" else None,
        expires_at_s=first_s + _EXPIRES_S if asked.kind == "expiring" else None,
    )
    yield call
    for after_s in copies:
        yield call.model_copy(update={"at_s": min(first_s + after_s, storm.seconds)})
    if dice.random() < _NUDGED:
        at_s = first_s + dice.uniform(0, _COPY_WITHIN_S)
        yield call.model_copy(update={"at_s": min(at_s, storm.seconds), "does": "nudge"})
    if asked.kind == "cancelled":
        at_s = first_s + dice.uniform(0, _CANCEL_WITHIN_S)
        yield call.model_copy(update={"at_s": at_s, "does": "cancel"})


def _blow(
    does: Literal["kill", "pause"],
    victim: Victim,
    seconds: float,
    storm: Storm,
    dice: random.Random,
) -> Blow:
    return Blow(
        at_s=storm.seconds * dice.uniform(_FIRST_BLOW, 1),
        victim=victim,
        host=dice.randrange(HOSTS),
        does=does,
        seconds=round(seconds, 2),
    )


def _victims(count: int, dice: random.Random) -> list[Victim]:
    """One of each at least, if there are enough."""
    some = dice.sample(list(_VICTIMS), k=len(_VICTIMS))
    others = dice.choices(list(_VICTIMS), list(_VICTIMS.values()), k=count)
    return [*some, *others][:count]
