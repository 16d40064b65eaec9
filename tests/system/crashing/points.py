"""A point is one effect of one role in one scenario, and what befalls the role there.

A question asked again with the same answer is no point of its own: nothing has changed since.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from tests.system.crashing.effects import without_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.system.crashing.effects import Client, Effect, Role
    from tests.system.crashing.framing import Value


class Kind(StrEnum):
    """What befalls the role."""

    BEFORE = "before"  # killed, and the effect does not happen
    AFTER = "after"  # killed, and the effect has happened
    MISSED = "missed"  # it lives on: its connection broke, so that nothing has happened
    LOST = "lost"  # it lives on: the effect has happened, and its connection broke instead
    UNHEARD = "unheard"  # as LOST, also where the client by itself asks again


# A client of the store repeats a question once; the second repetition is heard.
_ANSWERS_LOST = {Kind.LOST: 1, Kind.UNHEARD: 2}
# So many questions in vain, and whoever asked must know that nothing has happened.
_MISSES: Mapping[Client, int] = {"store": 2, "queue": 1, "slack": 1}


@dataclass(frozen=True, slots=True)
class Place:
    """The `number`-th time that the effect of this name had this outcome.

    `arrival` counts by name alone, and only what was not asked before: what can be told of it
    before it is answered. None for the same question asked again.
    """

    role: Role
    client: Client
    name: str
    outcome: str
    number: int
    arrival: int | None

    def __str__(self) -> str:
        return f"{self.role}:{self.name}={self.outcome}#{self.number}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """`number` is None for what was asked before."""

    number: int | None
    is_let_through: bool = True


@dataclass(frozen=True, slots=True)
class Strike:
    place: Place
    kind: Kind

    def __str__(self) -> str:
        return f"{self.place}:{self.kind}"


class Watch:
    """Sees each effect of a run, in order, and strikes at most once for each of its strikes.

    Used on the doors' loop only, but for `places`, `news` and `struck`, which only grow, and for
    `last`, of which a role's part is new when its process is.
    """

    def __init__(self, strikes: Sequence[Strike], *, kill: Callable[[Role], None]) -> None:
        self.places: list[Place] = []
        self.struck: list[Strike] = []
        # Grows with each effect that may have changed anything.
        self.news = 0
        # What came of each effect the last time that the role's process asked for it, and how often
        # it was asked for, since ever.
        self.last: dict[tuple[Role, str], str] = {}
        self.asked: Counter[tuple[Role, str]] = Counter()
        # What a role was told, as name and outcome, and which were killed.
        self.told: Counter[tuple[Role, str, str]] = Counter()
        self.killed: set[Role] = set()
        self._strikes = strikes
        self._kill = kill
        self._is_armed = False
        self._answers: dict[tuple[Role, bytes], Value] = {}
        self._outcomes: Counter[tuple[Role, str, str]] = Counter()
        self._arrivals: Counter[tuple[Role, str]] = Counter()
        self._to_lose: Counter[tuple[Role, bytes]] = Counter()
        self._to_miss: Counter[tuple[Role, bytes]] = Counter()

    @property
    def is_done(self) -> bool:
        return len(self.struck) == len(self._strikes)

    def arm(self) -> None:
        """From now on effects are counted."""
        self._is_armed = True

    def starts(self, role: Role) -> None:
        """A process of its that has asked for nothing yet."""
        for key in [each for each in list(self.last) if each[0] == role]:
            del self.last[key]

    def arrives(self, effect: Effect) -> Arrival:
        """The role may be dead afterwards."""
        key, question = (effect.role, effect.name), (effect.role, effect.question)
        self.asked[key] += 1
        number = None
        if self._is_armed and question not in self._answers:
            self._arrivals[key] += 1
            number = self._arrivals[key]
            for strike in self._open(Kind.BEFORE, Kind.MISSED):
                place = strike.place
                if (place.role, place.name, place.arrival) == (*key, number):
                    self._strike(strike, effect)
        if self._to_miss[question] > 0:
            self._to_miss[question] -= 1
            return Arrival(number, is_let_through=False)
        return Arrival(number)

    def was_answered(self, effect: Effect, arrival: Arrival, *, value: Value, outcome: str) -> bool:
        """Whether the role may hear it. If not, it may be dead."""
        question = (effect.role, effect.question)
        known, answer = question in self._answers, without_numbers(value)
        is_repeated = known and self._answers[question] == answer
        self._answers[question] = answer
        is_first = (effect.role, effect.name) not in self.last
        self.last[effect.role, effect.name] = outcome
        self.news += is_first or not is_repeated
        if self._is_armed and not is_repeated:
            self._note(effect, arrival, outcome)
        if self._to_lose[question] > 0:
            self._to_lose[question] -= 1
            return False
        if effect.role not in self.killed:
            self.told[effect.role, effect.name, outcome] += 1
        return True

    def _note(self, effect: Effect, arrival: Arrival, outcome: str) -> None:
        key = (effect.role, effect.name, outcome)
        self._outcomes[key] += 1
        here = Place(
            effect.role,
            effect.client,
            effect.name,
            outcome,
            number=self._outcomes[key],
            arrival=arrival.number,
        )
        self.places.append(here)
        for strike in self._open(Kind.AFTER, Kind.LOST, Kind.UNHEARD):
            if str(strike.place) == str(here):
                self._strike(strike, effect)

    def _strike(self, strike: Strike, effect: Effect) -> None:
        self.struck.append(strike)
        question = (effect.role, effect.question)
        match strike.kind:
            case Kind.BEFORE | Kind.AFTER:
                self.killed.add(effect.role)
                self._kill(effect.role)
            case Kind.MISSED:
                self._to_miss[question] = _MISSES[effect.client]
            case Kind.LOST | Kind.UNHEARD:
                self._to_lose[question] = _ANSWERS_LOST[strike.kind]
            case _:
                assert_never(strike.kind)

    def _open(self, *kinds: Kind) -> list[Strike]:
        return [each for each in self._strikes if each.kind in kinds and each not in self.struck]
