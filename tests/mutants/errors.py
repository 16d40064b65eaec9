"""What keeps a mutant from being judged at all: a fault of its declaration, or of a test."""

from __future__ import annotations


class MutantsRefused(Exception):
    """Nothing can be concluded before this is put right."""


class GuardHasMoved(MutantsRefused):
    """What a patch replaces is not in its file exactly once: find the guard, declare it anew."""

    def __init__(self, *, file: str, old: str, found: int) -> None:
        super().__init__(f"the guard has moved: {file} has {found} of {old!r}, not 1")
        self.file = file
        self.old = old
        self.found = found


class NoSuchMutant(MutantsRefused):
    """`--only` names none that is declared."""


class TestsFailBefore(MutantsRefused):
    """A test that fails with every guard in place tells nothing about one that is taken away."""


class OtherCode(MutantsRefused):
    """The scratch copy would run code from elsewhere, so that its mutants would change nothing."""


class NoPlaceInDocument(MutantsRefused):
    """docs/guarantees.md has not, between two comments, the place of each table."""
