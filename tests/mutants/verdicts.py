"""What a run tells of a mutant: caught only by a test that said so, never by code that broke."""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

from middleware import errors as middleware_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Verdict = Literal["caught", "SURVIVED", "BROKEN"]

# With every guard but one this must still work: a mutant is the absence of a guard, not of a way.
ORDINARY = "tests/system/guarantees/test_ordinary_way.py"
# How a test says no: an assertion, something waited for in vain, pytest's own, or a refusal of the
# system's. Any other exception is a patch that broke the code.
_SAID_BY_TESTS = frozenset(
    {
        "AssertionError",
        "TimeoutError",
        "Failed",
        "ExceptionGroup",
        *(name for name, _ in inspect.getmembers(middleware_errors, inspect.isclass)),
    }
)
_LONGEST_SAID = 160


@dataclass(frozen=True, slots=True)
class Case:
    """One test: `phase` says how it ended, `said` is the first line of why."""

    name: str
    phase: Literal["passed", "failed", "error", "hung"]
    said: str = ""

    @property
    def function(self) -> str:
        """Without the parameters of this case."""
        return self.name.partition("[")[0]

    @property
    def is_ordinary(self) -> bool:
        return "test_ordinary_way" in self.name

    @property
    def is_said_by_the_test(self) -> bool:
        kind = self.said.partition(":")[0].rpartition(".")[2]
        # pytest leaves the name out where what it prints of an assertion has no quotes in it.
        says_no = kind in _SAID_BY_TESTS or self.said.startswith("assert ")
        return self.phase == "failed" and says_no

    @property
    def is_by_time_out(self) -> bool:
        """Of a wait, or of the test as a whole."""
        return self.said.startswith(("TimeoutError", "Failed: Timeout"))


@dataclass(frozen=True, slots=True)
class Run:
    cases: Sequence[Case]

    @property
    def not_passed(self) -> list[Case]:
        return [case for case in self.cases if case.phase != "passed"]

    def verdict(self, tests: Sequence[str]) -> tuple[Verdict, Sequence[Case]]:
        """And the cases that decided: where each of the tests said so, the first that did of each;
        else the test that did not notice, or what went wrong besides.
        """
        broken = [
            case for case in self.not_passed if case.is_ordinary or not case.is_said_by_the_test
        ]
        if broken:
            return "BROKEN", broken[:1]
        said = []
        for test in tests:
            cases = [case for case in self.cases if case.function == test]
            if not cases:
                return "BROKEN", [Case(test, "error", "it was not run")]
            failed = [case for case in cases if case.phase != "passed"]
            if not failed:
                return "SURVIVED", cases[-1:]
            said.append(failed[0])
        return "caught", said


def judged(
    run: Callable[[Sequence[str]], Run], tests: Sequence[str]
) -> tuple[Verdict, Sequence[Case]]:
    """As `Run.verdict`; but on a busy machine a wait ends in vain too, so each must do so twice."""
    verdict, cases = run([ORDINARY, *tests]).verdict(tests)
    waited = [case.function for case in cases if case.is_by_time_out]
    if verdict == "caught" and waited:
        again, heard = run([ORDINARY, *waited]).verdict(waited)
        if again != "caught":
            return again, heard
    return verdict, cases


def read_cases(report: Path) -> list[Case]:
    """From pytest's JUnit report. A setup or a teardown that failed is an error, not a verdict."""
    # It was written a moment ago, by our own pytest.
    tree = ET.parse(report)  # noqa: S314
    return [_read(element) for element in tree.iter("testcase")]


def _read(element: ET.Element) -> Case:
    name = f"{element.get('classname', '').replace('.', '/')}.py::{element.get('name')}"
    for phase in ("error", "failure"):
        found = element.find(phase)
        if found is not None:
            said = _first_line(found.get("message") or found.text or "")
            return Case(name, "error" if phase == "error" else "failed", said)
    return Case(name, "passed")


def _first_line(message: str) -> str:
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return textwrap.shorten(line, _LONGEST_SAID, placeholder=" …")
