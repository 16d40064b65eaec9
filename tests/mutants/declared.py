"""A mutant is a declared patch that takes one guard away; what it replaces must be there once.

So a guard that has moved is noticed, and no mutant silently changes nothing.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tests.mutants.errors import GuardHasMoved

HERE = Path(__file__).parent
# The rows of the failure table (26 comes with reply gates), and the rules of the ledger.
ROWS = tuple(number for number in range(1, 28) if number != 26)
RULES = tuple(range(1, 10))

Subject = Annotated[str, Field(pattern=r"^(promise|row|rule) [1-9][0-9]?$")]


class Edit(BaseModel):
    """`old` must be in the file exactly once; `new` is what takes the guard away."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    old: str
    new: str

    def applied_to(self, text: str) -> str:
        """Raise GuardHasMoved."""
        if text.count(self.old) != 1:
            raise GuardHasMoved(file=self.file, old=self.old, found=text.count(self.old))
        return text.replace(self.old, self.new)


class Mutant(BaseModel):
    """`of` names the rows, rules and promises whose guard this is, `tests` what must fail without
    it, each of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    of: Annotated[tuple[Subject, ...], Field(min_length=1)]
    guard: Annotated[str, Field(min_length=10)]
    edits: Annotated[tuple[Edit, ...], Field(min_length=1)]
    tests: Annotated[tuple[str, ...], Field(min_length=1)]

    def apply(self, root: Path) -> None:
        """Change the tree below `root`. Raise GuardHasMoved, then nothing useful is left of it."""
        for edit in self.edits:
            path = root / edit.file
            path.write_text(edit.applied_to(path.read_text("utf-8")), "utf-8")


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    mutant: tuple[Mutant, ...]


def declared_mutants() -> list[Mutant]:
    """All of them: promises, rows, rules, each by number."""
    found: list[Mutant] = []
    for path in HERE.glob("*.toml"):
        found += _Declared.model_validate(tomllib.loads(path.read_text("utf-8"))).mutant
    return sorted(found, key=_place)


def _place(mutant: Mutant) -> tuple[str, int, str]:
    kind, _, number = mutant.of[0].partition(" ")
    return kind, int(number), mutant.id
