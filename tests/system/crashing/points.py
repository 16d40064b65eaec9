"""A point is one effect of one role in one scenario, and what befalls the role there.

A question asked again with the same answer is no point of its own: nothing has changed since.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.system.crashing.effects import without_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.system.crashing.effects import Client, Effect, Role
    from tests.system.crashing.framing import Value


class Kind(StrEnum):
    """What befalls the role."""

    BEFORE = "before"  # killed, and the effect does not happen
    AFTER = "after"  # killed, and the effect has happened
    LOST = "lost"  # it lives on: the effect has happened, and its connection broke instead
    UNHEARD = "unheard"  # as LOST, also where the client by itself asks again


# A client of the store repeats a question once; the second repetition is heard.
_ANSWERS_LOST = {Kind.LOST: 1, Kind.UNHEARD: 2}


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
class Strike:
    place: Place
    kind: Kind

    def __str__(self) -> str:
        return f"{self.place}:{self.kind}"


class Watch:
    """Sees each effect of a run, in order, and strikes at most once for each of its strikes.

    Used on the doors' loop only, but for `places`, `news` and `struck`, which only grow.
    """

    def __init__(self, strikes: Sequence[Strike], *, kill: Callable[[Role], None]) -> None:
        self.places: list[Place] = []
        self.struck: list[Strike] = []
        # Grows with each effect that may have changed anything.
        self.news = 0
        # What came of each effect the last time, and how often it was asked for, since ever.
        self.last: dict[tuple[Role, str], str] = {}
        self.asked: Counter[tuple[Role, str]] = Counter()
        self._strikes = strikes
        self._kill = kill
        self._is_armed = False
        self._answers: dict[tuple[Role, bytes], Value] = {}
        self._outcomes: Counter[tuple[Role, str, str]] = Counter()
        self._arrivals: Counter[tuple[Role, str]] = Counter()
        self._to_lose: Counter[tuple[Role, bytes]] = Counter()

    @property
    def is_done(self) -> bool:
        return len(self.struck) == len(self._strikes)

    def arm(self) -> None:
        """From now on effects are counted."""
        self._is_armed = True

    def arrives(self, effect: Effect) -> int | None:
        """Which of its name it is, if it was not asked before. The role may be dead afterwards."""
        key = (effect.role, effect.name)
        self.asked[key] += 1
        if not self._is_armed or (effect.role, effect.question) in self._answers:
            return None
        self._arrivals[key] += 1
        arrival = self._arrivals[key]
        for strike in self._open(Kind.BEFORE):
            place = strike.place
            if (place.role, place.name, place.arrival) == (*key, arrival):
                self.struck.append(strike)
                self._kill(effect.role)
        return arrival

    def was_answered(
        self, effect: Effect, arrival: int | None, *, value: Value, outcome: str
    ) -> bool:
        """Whether the role may hear it. If not, it may be dead."""
        question = (effect.role, effect.question)
        known, answer = question in self._answers, without_numbers(value)
        is_repeated = known and self._answers[question] == answer
        self._answers[question] = answer
        self.last[effect.role, effect.name] = outcome
        if not is_repeated:
            self.news += 1
            if self._is_armed:
                self._note(effect, arrival, outcome)
        if self._to_lose[question] > 0:
            self._to_lose[question] -= 1
            return False
        return True

    def _note(self, effect: Effect, arrival: int | None, outcome: str) -> None:
        key = (effect.role, effect.name, outcome)
        self._outcomes[key] += 1
        here = Place(
            effect.role,
            effect.client,
            effect.name,
            outcome,
            number=self._outcomes[key],
            arrival=arrival,
        )
        self.places.append(here)
        for strike in [*self._open(Kind.AFTER), *self._open(Kind.LOST, Kind.UNHEARD)]:
            if str(strike.place) != str(here):
                continue
            self.struck.append(strike)
            if strike.kind is Kind.AFTER:
                self._kill(effect.role)
            else:
                self._to_lose[effect.role, effect.question] = _ANSWERS_LOST[strike.kind]

    def _open(self, *kinds: Kind) -> list[Strike]:
        return [each for each in self._strikes if each.kind in kinds and each not in self.struck]
