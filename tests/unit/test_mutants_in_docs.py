"""The tables of the guarantees are written from the mutants, and keep what was not asked again."""

from __future__ import annotations

import pytest

from tests.mutants.declared import Edit, Mutant
from tests.mutants.document import cell_of, documented, rewritten
from tests.mutants.errors import NoPlaceInDocument
from tests.mutants.verdicts import Case

EMPTY = """# Guarantees
<!-- mutants of a row -->
<!-- end of mutants of a row -->
Rules:
<!-- mutants of a rule -->
<!-- end of mutants of a rule -->
<!-- mutants of a promise -->
<!-- end of mutants of a promise -->
The end.
"""


def mutant(id_: str, *of: str, guard: str = "nothing is posted twice") -> Mutant:
    edit = Edit(file="a.py", old="guard()", new="")
    return Mutant(id=id_, of=of, guard=guard, edits=(edit,), tests=("tests/x.py::test_a",))


A_ROW, A_RULE = mutant("a-row", "row 1", "rule 2"), mutant("a-rule", "rule 2")
A_PROMISE = mutant("a-promise", "promise 1")
ALL = [A_ROW, A_RULE, A_PROMISE]


def test_each_mutant_has_a_row_in_the_table_of_the_first_that_it_is_of() -> None:
    # When
    text = rewritten(EMPTY, ALL, {each.id: f"`said by {each.id}`" for each in ALL})

    # Then
    head = "| of | guard | test | without it the test says |\n|---|---|---|---|\n"
    row = "| nothing is posted twice | `tests/x.py::test_a` | `said by"
    assert (
        text
        == f"""# Guarantees
<!-- mutants of a row -->
{head}| row 1, rule 2 {row} a-row` |
<!-- end of mutants of a row -->
Rules:
<!-- mutants of a rule -->
{head}| rule 2 {row} a-rule` |
<!-- end of mutants of a rule -->
<!-- mutants of a promise -->
{head}| promise 1 {row} a-promise` |
<!-- end of mutants of a promise -->
The end.
"""
    )


def test_what_was_not_run_keeps_its_row() -> None:
    # Given
    text = rewritten(EMPTY, ALL, {each.id: "`before`" for each in ALL})

    # When
    again = rewritten(text, ALL, {A_RULE.id: r"`assert a \| b`"})

    # Then
    assert [row.said for row in documented(again)] == ["`before`", r"`assert a \| b`", "`before`"]


def test_what_was_not_caught_loses_its_row() -> None:
    # Given
    text = rewritten(EMPTY, ALL, {each.id: "`before`" for each in ALL})

    # When
    again = rewritten(text, ALL, {A_ROW.id: ""})

    # Then
    assert [row.of for row in documented(again)] == [A_RULE.of, A_PROMISE.of]


def test_what_is_declared_otherwise_must_be_run_again() -> None:
    # Given
    text = rewritten(EMPTY, [A_ROW], {A_ROW.id: "`before`"})

    # When
    again = rewritten(text, [mutant("a-row", "row 1", guard="nothing is lost, ever")], {})

    # Then
    assert documented(again) == []


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Error 111 connecting to 127.0.0.1:22664.", "Error 111 connecting to 127.0.0.1:…."),
        ("assert 1795487228190 > 1795490828189", "assert … > …"),
        ("['1795486333.866000'] is not there", "['…'] is not there"),
        ("<Loop object at 0x7f05dec8d390>", "<Loop object at 0x…>"),
        ("no file /tmp/postonce-x1/log is there", "no file … is there"),
        ("assert ['1795486333....86333.866000']", "assert ['…....…']"),
        ("read_begun_ms=1700000000000", "read_begun_ms=1700000000000"),
        ("begun 1606 ms after the intent", "begun … ms after the intent"),
        ("posted as XYPIOpOSdLWCkD0F-Eofnw, and as", "posted as …, and as"),
        ("6096 bytes are left, not 100/2", "6096 bytes are left, not 100/2"),
        ("a | b, and `c`", "a \\| b, and 'c'"),
    ],
)
def test_no_other_machine_would_say_it_otherwise(said: str, written: str) -> None:
    assert cell_of([Case("tests/x.py::test_a", "failed", said)]) == f"`{written}`"


def test_what_two_tests_say_is_told_of_each_of_them() -> None:
    # Given
    cases = [Case("tests/x.py::test_a", "failed", said) for said in ("one", "other", "one")]

    # When / Then
    assert cell_of(cases) == "`one`<br>`other`"


def test_a_document_without_a_place_for_them_is_refused() -> None:
    with pytest.raises(NoPlaceInDocument):
        documented(EMPTY.replace("<!-- mutants of a rule -->", ""))
