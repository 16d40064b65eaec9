"""Each declared patch still takes a guard away, and no broken patch passes for one that does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mutants.declared import ROWS, RULES, Edit, Mutant, declared_mutants
from tests.mutants.errors import GuardHasMoved
from tests.mutants.scratch import ROOT
from tests.mutants.verdicts import Case, Run, read_cases

if TYPE_CHECKING:
    from pathlib import Path

GUARANTEES = "tests/system/guarantees"
TEST = "tests/x.py::test_a"
ORDINARY = Case("tests/system/guarantees/test_ordinary_way.py::test_a", "passed")
REPORT = """<testsuites><testsuite>
<testcase classname="tests.system.test_x" name="test_a"/>
<testcase classname="tests.system.test_x" name="test_b">
<failure message="AssertionError: posted twice&#10;assert 2 == 1">…</failure></testcase>
<testcase classname="tests.system.test_x" name="test_c">
<error message="failed on setup with &quot;OSError&quot;">…</error></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize("mutant", declared_mutants(), ids=lambda mutant: mutant.id)
def test_what_each_mutant_replaces_is_there_once(mutant: Mutant) -> None:
    for edit in mutant.edits:
        edit.applied_to((ROOT / edit.file).read_text("utf-8"))


@pytest.mark.parametrize("mutant", declared_mutants(), ids=lambda mutant: mutant.id)
def test_each_mutants_tests_are_there_and_are_those_of_its_row_or_rule(mutant: Mutant) -> None:
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text("utf-8")


SUBJECTS = [f"row {number}" for number in ROWS] + [f"rule {number}" for number in RULES]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_row_and_rule_has_a_test_a_mutant_and_a_line_for_readers(subject: str) -> None:
    # Given
    kind, number = subject.split()
    name = f"def test_row_{int(number):02d}_" if kind == "row" else f"def test_rule_{number}_"

    # When
    tests = [path.read_text("utf-8") for path in (ROOT / GUARANTEES).glob("test_*.py")]
    mutants = [mutant for mutant in declared_mutants() if subject in mutant.of]
    lines = (ROOT / "docs" / "guarantees.md").read_text("utf-8").splitlines()

    # Then
    assert any(name in text for text in tests)
    assert mutants
    for mutant in mutants:
        assert any(subject in line and mutant.guard in line for line in lines)


def test_no_two_mutants_have_one_id() -> None:
    # When
    ids = [mutant.id for mutant in declared_mutants()]

    # Then
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("text", ["nothing of it", "guard() guard()"])
def test_a_guard_that_has_moved_is_noticed(text: str) -> None:
    # Given
    edit = Edit(file="a.py", old="guard()", new="")

    # When
    with pytest.raises(GuardHasMoved) as refusal:
        edit.applied_to(text)

    # Then
    assert str(refusal.value).startswith("the guard has moved: a.py")


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        (Case("tests/x.py::test_a", "passed"), "SURVIVED"),
        (Case("tests/x.py::test_a", "failed", "AssertionError: posted twice"), "caught"),
        (Case("tests/x.py::test_a", "failed", "assert 2 == 1"), "caught"),
        (Case("tests/x.py::test_a", "failed", "TimeoutError: waited 5 s in vain"), "caught"),
        (Case("tests/x.py::test_a", "failed", "Failed: DID NOT RAISE AlreadySettled"), "caught"),
        (
            Case("tests/x.py::test_a", "failed", "middleware.errors.LedgerUnavailable: CROSSSLOT"),
            "caught",
        ),
        (Case("tests/x.py::test_a", "failed", "NameError: name 'x' is not defined"), "BROKEN"),
        (Case("tests/x.py::test_a", "error", "failed on setup with AssertionError"), "BROKEN"),
        (Case("", "error", "ERROR: not found: tests/x.py::test_a"), "BROKEN"),
        (Case("", "hung", "no end within 300 s"), "BROKEN"),
    ],
    ids=lambda value: value.said or value.phase if isinstance(value, Case) else value,
)
def test_only_what_a_test_says_catches_a_mutant(case: Case, verdict: str) -> None:
    assert Run([ORDINARY, case]).verdict([TEST]) == (verdict, [case])


def test_a_mutant_that_breaks_the_ordinary_way_is_no_missing_guard() -> None:
    # Given
    ordinary = Case(ORDINARY.name, "failed", "TimeoutError: waited 12.0 s in vain")
    caught = Case("tests/x.py::test_a", "failed", "AssertionError: posted twice")

    # When
    verdict = Run([ordinary, caught]).verdict([TEST])

    # Then
    assert verdict == ("BROKEN", [ordinary])


def test_every_test_of_a_mutant_must_notice() -> None:
    # Given
    caught = Case(f"{TEST}[one]", "failed", "AssertionError: posted twice")
    passed = Case("tests/y.py::test_b[two]", "passed")

    # When
    verdict = Run([ORDINARY, Case(f"{TEST}[two]", "passed"), caught, passed]).verdict(
        [TEST, "tests/y.py::test_b"]
    )

    # Then
    assert verdict == ("SURVIVED", [passed])


def test_a_test_that_was_not_run_catches_nothing() -> None:
    # Given
    caught = Case(TEST, "failed", "AssertionError: posted twice")

    # When
    verdict, cases = Run([ORDINARY, caught]).verdict([TEST, "tests/y.py::test_b"])

    # Then
    assert verdict == "BROKEN"
    assert [case.name for case in cases] == ["tests/y.py::test_b"]


def test_what_a_run_said_is_read_from_its_report(tmp_path: Path) -> None:
    # Given
    report = tmp_path / "junit.xml"
    report.write_text(REPORT, "utf-8")

    # When
    cases = read_cases(report)

    # Then
    assert cases == [
        Case("tests/system/test_x.py::test_a", "passed"),
        Case("tests/system/test_x.py::test_b", "failed", "AssertionError: posted twice"),
        Case("tests/system/test_x.py::test_c", "error", 'failed on setup with "OSError"'),
    ]
