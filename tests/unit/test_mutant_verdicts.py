"""No broken patch passes for one that takes a guard away, and no slow machine for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mutants.verdicts import Case, Run, judged, read_cases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TEST = "tests/x.py::test_a"
ORDINARY = Case("tests/system/guarantees/test_ordinary_way.py::test_a", "passed")
REPORT = """<testsuites><testsuite>
<testcase classname="tests.system.test_x" name="test_a"/>
<testcase classname="tests.system.test_x" name="test_b">
<failure message="AssertionError: posted twice&#10;assert 2 == 1">…</failure></testcase>
<testcase classname="tests.system.test_x" name="test_c">
<error message="failed on setup with &quot;OSError&quot;">…</error></testcase>
</testsuite></testsuites>"""


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


WAITED = Case(TEST, "failed", "TimeoutError: waited 5 s in vain")
OUT_OF_TIME = Case(TEST, "failed", "Failed: Timeout (>60.0s) from pytest-timeout.")
TWICE = Case(TEST, "failed", "AssertionError: posted twice")
PASSED = Case(TEST, "passed")


@pytest.mark.parametrize(
    ("cases", "verdict"),
    [
        ([WAITED, WAITED], "caught"),
        ([WAITED, PASSED], "SURVIVED"),
        ([OUT_OF_TIME, PASSED], "SURVIVED"),
        ([WAITED, TWICE], "caught"),
        ([TWICE, PASSED], "caught"),
    ],
)
def test_a_wait_must_be_in_vain_twice(cases: list[Case], verdict: str) -> None:
    # Given
    runs = iter([Run([ORDINARY, case]) for case in cases])

    # When
    found, _ = judged(lambda _: next(runs), [TEST])

    # Then
    assert found == verdict


def test_only_what_waited_in_vain_is_run_again() -> None:
    # Given
    other, asked = Case("tests/y.py::test_b", "failed", "assert 2 == 1"), []

    def run(tests: Sequence[str]) -> Run:
        asked.append(tests)
        return Run([ORDINARY, WAITED, other])

    # When
    found = judged(run, [TEST, other.name])

    # Then
    assert found == ("caught", [WAITED, other])
    assert [tests[1:] for tests in asked] == [[TEST, other.name], [TEST]]


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


def test_what_a_test_said_is_cut_between_words(tmp_path: Path) -> None:
    # Given
    report = tmp_path / "junit.xml"
    report.write_text(REPORT.replace("posted twice", "posted twice, " + "again and " * 40), "utf-8")

    # When
    said = read_cases(report)[1].said

    # Then
    assert len(said) <= 160
    assert said.endswith((" again …", " and …"))
