"""Each declared patch still takes a guard away, and readers are told which test notices."""

from __future__ import annotations

import re

import pytest

from tests.mutants.declared import ROWS, RULES, Edit, Mutant, declared_mutants
from tests.mutants.document import DOCUMENT, documented
from tests.mutants.errors import GuardHasMoved
from tests.mutants.scratch import ROOT

GUARANTEES = "tests/system/guarantees"
SUBJECTS = [f"row {number}" for number in ROWS] + [f"rule {number}" for number in RULES]
WRITE_IT = "python -m tests.mutants --write-docs"


@pytest.mark.parametrize("mutant", declared_mutants(), ids=lambda mutant: mutant.id)
def test_what_each_mutant_replaces_is_there_once(mutant: Mutant) -> None:
    for edit in mutant.edits:
        edit.applied_to((ROOT / edit.file).read_text("utf-8"))


@pytest.mark.parametrize("mutant", declared_mutants(), ids=lambda mutant: mutant.id)
def test_each_mutants_tests_are_there(mutant: Mutant) -> None:
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text("utf-8")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_row_and_rule_has_a_mutant_that_a_test_of_its_name_notices(subject: str) -> None:
    # Given
    kind, number = subject.split()
    named = f"::test_row_{int(number):02d}_" if kind == "row" else f"::test_rule_{number}_"

    # When
    mutants = [mutant for mutant in declared_mutants() if subject in mutant.of]

    # Then
    assert any(named in test for mutant in mutants for test in mutant.tests)


def test_each_test_of_a_row_or_a_rule_is_named_by_a_mutant() -> None:
    # When
    tests = {
        f"{GUARANTEES}/{path.name}::{name}"
        for path in (ROOT / GUARANTEES).glob("test_*.py")
        for name in re.findall(
            r"^def (test_(?:row|rule)_\w+)", path.read_text("utf-8"), re.MULTILINE
        )
    }

    # Then
    assert tests - {test for mutant in declared_mutants() for test in mutant.tests} == set()


@pytest.mark.parametrize("mutant", declared_mutants(), ids=lambda mutant: mutant.id)
def test_each_mutant_is_documented_with_what_its_tests_said(mutant: Mutant) -> None:
    # When
    rows = documented(DOCUMENT.read_text("utf-8"))

    # Then
    assert [row.said != "" for row in rows if row.is_of(mutant)] == [True], (
        f"{WRITE_IT} --only {mutant.id}"
    )


def test_each_documented_row_is_of_a_mutant() -> None:
    # When
    rows = documented(DOCUMENT.read_text("utf-8"))

    # Then
    mutants = declared_mutants()
    assert [row for row in rows if not any(map(row.is_of, mutants))] == [], WRITE_IT


def test_no_two_mutants_have_one_id_or_one_row() -> None:
    # When
    mutants = declared_mutants()

    # Then
    assert len({mutant.id for mutant in mutants}) == len(mutants)
    assert len({(mutant.of, mutant.guard) for mutant in mutants}) == len(mutants)


@pytest.mark.parametrize("text", ["nothing of it", "guard() guard()"])
def test_a_guard_that_has_moved_is_noticed(text: str) -> None:
    # Given
    edit = Edit(file="a.py", old="guard()", new="")

    # When
    with pytest.raises(GuardHasMoved) as refusal:
        edit.applied_to(text)

    # Then
    assert str(refusal.value).startswith("the guard has moved: a.py")
