"""The tables of docs/guarantees.md, written from the declarations and from what the tests said.

A row whose mutant was not run keeps what its tests said before. One that was run and not caught has
no row, nor has one that was never run as it is declared: tests/unit/test_mutants.py misses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.mutants.errors import NoPlaceInDocument
from tests.mutants.scratch import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.mutants.declared import Mutant
    from tests.mutants.verdicts import Case

DOCUMENT = ROOT / "docs" / "guarantees.md"

# A mutant stands in the table of the first that it is of.
_KINDS = ("row", "rule", "promise")
_HEAD = """\
| of | guard | test | without it the test says |
|---|---|---|---|
"""
_CELL_ENDS = re.compile(r"(?<!\\)\|")
_LINE_BREAK = "<br>"
# Another machine, or another run, would say these otherwise. Of the time that begins with 17000 no
# clock told: tests made it up.
_OTHERWISE_ELSEWHERE = re.compile(
    r"""
      (?<=127\.0\.0\.1:)\d+                                           # a port
    | (?<=0x)[0-9a-f]+                                                 # an address in memory
    | (?<![\w.])(?:/[\w.-]+){2,}                                       # a path
    | (?<!\d)(?!1?70000)(?:\d{10,}(?:\.\d+)?|\d+\.\d{6}(?!\d))        # a time since the epoch
    | \d+(?=\ ms\b)                                                   # a time that was measured
    | (?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{22}(?![\w-])  # a random name
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Row:
    """`said` is the cell as it stands, for it is kept as it is."""

    of: tuple[str, ...]
    guard: str
    tests: tuple[str, ...]
    said: str

    def is_of(self, mutant: Mutant) -> bool:
        return (self.of, self.guard, self.tests) == (mutant.of, mutant.guard, mutant.tests)

    def __str__(self) -> str:
        tests = _LINE_BREAK.join(f"`{test}`" for test in self.tests)
        return f"| {', '.join(self.of)} | {self.guard} | {tests} | {self.said} |\n"


def documented(text: str) -> list[Row]:
    """What stands in the tables. Raise NoPlaceInDocument."""
    return [row for kind in _KINDS for row in _rows(_place(text, kind)[0])]


def rewritten(text: str, mutants: Sequence[Mutant], said: Mapping[str, str]) -> str:
    """The document with a row for each mutant: `said` is what the tests of those that were run
    said, by id, and empty where one was not caught. Raise NoPlaceInDocument.
    """
    before = documented(text)
    for kind in _KINDS:
        rows = ""
        for mutant in mutants:
            of_kind = mutant.of[0].startswith(f"{kind} ")
            cell = said.get(mutant.id, _said_before(before, mutant))
            if of_kind and cell:
                rows += str(Row(mutant.of, mutant.guard, mutant.tests, cell))
        _, start, end = _place(text, kind)
        text = f"{text[:start]}{_HEAD}{rows}{text[end:]}"
    return text


def cell_of(cases: Sequence[Case]) -> str:
    """What each of the tests said, without what would be otherwise on another machine."""
    return _LINE_BREAK.join(dict.fromkeys(f"`{_portable(case.said)}`" for case in cases))


def _portable(said: str) -> str:
    return _OTHERWISE_ELSEWHERE.sub("…", said).replace("`", "'").replace("|", r"\|")


def _said_before(rows: Sequence[Row], mutant: Mutant) -> str:
    return next((row.said for row in rows if row.is_of(mutant)), "")


def _place(text: str, kind: str) -> tuple[str, int, int]:
    """The table of the kind, and from where to where it stands."""
    begin, end = f"<!-- mutants of a {kind} -->\n", f"<!-- end of mutants of a {kind} -->\n"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise NoPlaceInDocument(f"{begin.strip()} … {end.strip()} must be there once")
    start, stop = text.index(begin) + len(begin), text.index(end)
    return text[start:stop], start, stop


def _rows(table: str) -> Iterator[Row]:
    for line in table.removeprefix(_HEAD).splitlines():
        of, guard, tests, said = (cell.strip() for cell in _CELL_ENDS.split(line)[1:-1])
        named = tuple(re.findall("`([^`]+)`", tests))
        yield Row(tuple(of.split(", ")), guard, named, said)
