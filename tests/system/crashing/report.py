"""What was found and tried, as a table: a row for each part of each process."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.system.crashing.parts import Part, part_of
from tests.system.crashing.points import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.system.crashing.campaign import Verdict

_COLUMNS = ("part", "places", *Kind, "violated", "not reached")


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Places where something was tried, how often what befell them, and what did not hold."""
    rows: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        place = verdict.point.strike.place
        part = part_of(place.role, place.name)
        rows[f"{place.role}, {part}" if part is Part.START_UP else str(part)].append(verdict)
    yield _line(_COLUMNS)
    for name in sorted(rows):
        yield _line((name, *_figures(rows[name])))
    yield _line(("in all", *_figures(verdicts)))


def _figures(verdicts: Sequence[Verdict]) -> Iterator[int]:
    yield len({(each.point.scenario.name, str(each.point.strike.place)) for each in verdicts})
    kinds = Counter(each.point.strike.kind for each in verdicts)
    yield from (kinds[kind] for kind in Kind)
    yield sum(bool(each.violations) for each in verdicts)
    yield sum(not each.is_struck for each in verdicts)


def _line(cells: Sequence[object]) -> str:
    first, *others = cells
    return f"{first!s:22}" + "".join(f"{cell!s:>12}" for cell in others)
