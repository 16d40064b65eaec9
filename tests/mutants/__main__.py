"""`make mutants`: take each guard away and run its test; exit 1 if any test did not notice."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.mutants.declared import declared_mutants
from tests.mutants.document import DOCUMENT, cell_of, rewritten
from tests.mutants.errors import MutantsRefused, NoSuchMutant, TestsFailBefore
from tests.mutants.scratch import scratch_tree
from tests.mutants.verdicts import ORDINARY, judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutants.declared import Mutant
    from tests.mutants.verdicts import Case, Verdict

_EXAMPLE = """example:
  python -m tests.mutants --only row-05-post-by
      one guard; without --only all of them, three at a time
  python -m tests.mutants --write-docs
      all of them, and what their tests said into docs/guarantees.md
"""


@dataclass(frozen=True, slots=True)
class Judged:
    mutant: Mutant
    verdict: Verdict
    cases: Sequence[Case]

    @property
    def is_caught(self) -> bool:
        return self.verdict == "caught"

    @property
    def said(self) -> str:
        return "\n".join(case.said for case in self.cases)


class Judge:
    """Says how far it is, one line for each mutant."""

    def __init__(self, mutants: Sequence[Mutant], *, jobs: int) -> None:
        self._mutants = mutants
        self._jobs = jobs
        self._done = 0
        self._saying = Lock()

    def check_tests(self) -> None:
        """Raise TestsFailBefore unless they pass in a copy where nothing is changed."""
        tests = sorted({test for mutant in self._mutants for test in mutant.tests})
        with scratch_tree() as tree:
            tree.check_imports()
            run = tree.run([ORDINARY, *tests], processes=self._jobs)
        failed = run.not_passed
        if failed:
            lines = "\n".join(f"  {case.name}: {case.said}" for case in failed)
            raise TestsFailBefore(f"with every guard in place these fail:\n{lines}")

    def judge_all(self) -> list[Judged]:
        with ThreadPoolExecutor(self._jobs) as at_a_time:
            return list(at_a_time.map(self._judge, self._mutants))

    def _judge(self, mutant: Mutant) -> Judged:
        begun_s = time.monotonic()
        with scratch_tree() as tree:
            mutant.apply(tree.path)
            found = Judged(mutant, *judged(tree.run, mutant.tests))
        with self._saying:
            self._done += 1
            took_s = time.monotonic() - begun_s
            place = f"{self._done}/{len(self._mutants)}"
            _say(f"{place:>7}  {found.verdict:<8}  {mutant.id}  ({took_s:.0f} s)  {found.said}")
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        mutants = _chosen(options.only)
        judge = Judge(mutants, jobs=options.jobs)
        _say(f"{len(mutants)} guards; first their tests with every guard in place")
        judge.check_tests()
        found = judge.judge_all()
        if options.write_docs:
            _write_docs(found)
    except MutantsRefused as refused:
        _say(str(refused))
        return 1
    _show(found)
    missed = [each for each in found if not each.is_caught]
    _say(f"{len(found) - len(missed)} of {len(found)} guards taken away were caught")
    return 1 if missed else 0


def _chosen(only: Sequence[str]) -> list[Mutant]:
    mutants = declared_mutants()
    unknown = set(only) - {mutant.id for mutant in mutants}
    if unknown:
        raise NoSuchMutant(f"no mutant is called {', '.join(sorted(unknown))}")
    return [mutant for mutant in mutants if not only or mutant.id in only]


def _write_docs(found: Sequence[Judged]) -> None:
    said = {each.mutant.id: cell_of(each.cases) if each.is_caught else "" for each in found}
    text = rewritten(DOCUMENT.read_text("utf-8"), declared_mutants(), said)
    DOCUMENT.write_text(text, "utf-8")


def _show(found: Sequence[Judged]) -> None:
    table = Table("id", "guard", "caught by", "what the test said", show_lines=True)
    for each in found:
        tests = "\n".join(case.name.rpartition("::")[2] for case in each.cases)
        caught_by = tests if each.is_caught else each.verdict
        table.add_row(each.mutant.id, each.mutant.guard, caught_by, each.said)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description=__doc__,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        metavar="ID",
        nargs="+",
        default=[],
        help="these guards, by the id of their mutant",
    )
    parser.add_argument(
        "--write-docs",
        action="store_true",
        help="write the tables of docs/guarantees.md; rows of guards that are not run stay",
    )
    parser.add_argument("--jobs", type=int, default=3, help="so many at a time (3)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
