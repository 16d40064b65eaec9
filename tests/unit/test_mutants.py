"""Each declared patch still takes a guard away, and readers are told which test notices."""

from __future__ import annotations

import pytest

from tests.mutants.declared import ROWS, RULES, Edit, Mutant, declared_mutants
from tests.mutants.errors import GuardHasMoved
from tests.mutants.scratch import ROOT

GUARANTEES = "tests/system/guarantees"


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
