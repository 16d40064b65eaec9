"""What this room refuses, each with everything its caller needs to say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file or a template; lines and columns count from 1.

    `path` leads to it through keys and list positions. `line` is None when it is the whole file.
    """

    line: int | None
    path: tuple[str | int, ...]
    sentence: str
    column: int | None = None

    def __str__(self) -> str:
        places = [f"line {self.line}"] if self.line is not None else []
        places += [f"column {self.column}"] if self.column is not None else []
        parts = [", ".join(places), spoken_path(self.path), self.sentence]
        return _printable(": ".join(part for part in parts if part))


def spoken_path(path: Sequence[str | int]) -> str:
    """`tenants.acme.templates.hi.blocks[0].text`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).lstrip(".")


def _printable(text: str) -> str:
    # Names come from the file, and a terminal obeys some characters.
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


class YamlRefused(Exception):
    """The text is not the YAML that can be read here."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class TenantsFileRefused(Exception):
    """The tenants file is not valid; nothing of it was applied. `problems` says all of it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class SourceFlaw:
    """One thing wrong with the source of a template; lines count from 1."""

    line: int
    sentence: str


class TemplateFlawed(Exception):
    """The template breaks the rules of the template language, so it cannot be rendered."""

    def __init__(self, flaws: Sequence[SourceFlaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("; ".join(f"line {flaw.line}: {flaw.sentence}" for flaw in self.flaws))


class TooMuchWork(Exception):
    """Rendering was stopped: the template makes more of these variables than a message may hold."""
