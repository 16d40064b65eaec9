"""A copy of the tree to change and to run tests in, with the interpreter and packages of this one.

PYTHONPATH puts the copy in front of what is installed, for child processes too: they inherit it and
are started in the copy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.mutants.errors import OtherCode
from tests.mutants.verdicts import Case, Run, read_cases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
_ROOMS = ("actors", "middleware", "projector", "sandbox", "tests")
_ALSO = ("pyproject.toml", "docs", "examples")
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc")
# Each test has a limit of its own, well below this.
_LONGEST_RUN_S = 300.0


class Tree:
    """One copy below `path`, which nothing else changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in _ROOMS:
            shutil.copytree(ROOT / name, path / name, ignore=_NOT_COPIED)
        for name in _ALSO:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, path / name)
            elif source.exists():
                shutil.copy(source, path / name)

    def check_imports(self) -> None:
        """Raise OtherCode unless Python finds every room here."""
        asking = "import " + ", ".join(_ROOMS) + "; print(*(each.__path__[0] for each in ("
        ended = self._python("-c", f"{asking}{', '.join(_ROOMS)})), sep='\\n')")
        expected = [str(self.path / name) for name in _ROOMS]
        if ended.stdout.splitlines() != expected:
            raise OtherCode(f"expected {expected}, found: {ended.stdout}{ended.stderr}")

    def run(self, tests: Sequence[str], *, processes: int = 0) -> Run:
        """`processes` more than 0 runs them in so many at a time."""
        report = self.path / "junit.xml"
        report.unlink(missing_ok=True)
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", f"--junitxml={report}"]
        if processes:
            options += ["--numprocesses", str(processes), "--dist", "worksteal"]
        try:
            ended = self._python("-m", "pytest", *options, *tests)
        except subprocess.TimeoutExpired:
            return Run([Case(name="", phase="hung", said=f"no end within {_LONGEST_RUN_S:.0f} s")])
        if not report.exists():
            return Run([Case(name="", phase="error", said=_last_line(ended.stdout))])
        return Run(read_cases(report))

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env=os.environ | {"PYTHONPATH": str(self.path), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_RUN_S,
        )


@contextmanager
def scratch_tree() -> Iterator[Tree]:
    """Removed afterwards."""
    with TemporaryDirectory(prefix="postonce-mutant-") as directory:
        yield Tree(Path(directory).resolve())


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "pytest said nothing"
