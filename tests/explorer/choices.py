"""All ways through a course of choices, one after the other, each from the beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")


class Choices:
    """One of the ways: what it makes of each choice, in turn."""

    def __init__(self, wanted: Sequence[int] = ()) -> None:
        self._wanted = wanted
        # What was chosen, and of how many.
        self._made: list[tuple[int, int]] = []

    def among(self, options: Sequence[T]) -> T:
        place = len(self._made)
        chosen = self._wanted[place] if place < len(self._wanted) else 0
        self._made.append((chosen, len(options)))
        return options[chosen]

    def next_way(self) -> Choices | None:
        made = list(self._made)
        while made:
            chosen, options = made.pop()
            if chosen + 1 < options:
                return Choices([*(each for each, _ in made), chosen + 1])
        return None


def all_ways() -> Iterator[Choices]:
    """Each has to be gone before the next one is taken."""
    choices: Choices | None = Choices()
    while choices is not None:
        yield choices
        choices = choices.next_way()
