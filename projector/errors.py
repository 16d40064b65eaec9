"""What this room refuses, each with everything its caller needs to say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from middleware.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field; `field` is None when it is the line as a whole."""

    field: str | None
    sentence: str

    def __str__(self) -> str:
        return f"{self.field}: {self.sentence}" if self.field else self.sentence


class RequestRefused(Exception):
    """The message request is not valid; nothing was accepted. `problems` says all that is wrong."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class SettingsRefused(Exception):
    """The environment does not make a ledger; each expectation names a variable."""

    def __init__(self, expectations: Sequence[str]) -> None:
        self.expectations = tuple(expectations)
        super().__init__("; ".join(expectations))


class RequestsInterrupted(LedgerUnavailable):
    """The store failed after `reached` items; what came after may be accepted or not: run again."""

    def __init__(self, *, reached: int, cause: str) -> None:
        super().__init__(f"the store failed after {reached} requests: {cause}")
        self.reached = reached


class EventUnreadable(Exception):
    """An event of the log that this version cannot read; `flaws` holds names and codes only."""

    def __init__(self, flaws: Sequence[str]) -> None:
        self.flaws = tuple(flaws)
        super().__init__(", ".join(flaws))


class ConfigurationRefused(Exception):
    """These teams belong to other tenants, by team id; nothing was configured."""

    def __init__(self, owners: Mapping[str, str]) -> None:
        self.owners = dict(owners)
        taken = ", ".join(f"{team} (of {owner})" for team, owner in owners.items())
        super().__init__(f"a team belongs to one tenant, and these are taken: {taken}")


class QueueNotCountable(Exception):
    """A broker of this kind has no way to count its messages."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind} does not count its messages")


class RebuildSuperseded(Exception):
    """Another rebuild of this partition began later; it goes on, and this one is of no use."""

    def __init__(self, *, partition: int) -> None:
        super().__init__(f"another rebuild began later, and has taken over partition {partition}")
        self.partition = partition
