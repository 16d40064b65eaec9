"""Whatever a template may do to a value is charged by size, so that the sum of it is bounded.

Left out of Jinja2's own are those that escape (every value is, anyway), pad or format to a width,
call other filters by name, or end in an object that is no JSON value.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from jinja2 import Undefined
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.tests import TESTS as JINJA_TESTS

from actors.errors import TooMuchWork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

# A message of 4,000 characters out of 64 KB of variables needs a tenth of it; using it all up takes
# some tenths of a second.
WORK_LIMIT = 1_000_000
# More digits than a float tells apart, fewer than make a large power of ten.
_DIGITS_MAX = 15

_work_left: ContextVar[list[int]] = ContextVar("work_left")


@contextmanager
def bounded_work() -> Iterator[None]:
    """What is rendered inside shares one allowance, `TooMuchWork` ends it."""
    token = _work_left.set([WORK_LIMIT])
    try:
        yield
    finally:
        _work_left.reset(token)


def charge(units: int) -> None:
    left = _work_left.get()
    left[0] -= units
    if left[0] < 0:
        raise TooMuchWork


def displayed(value: object) -> str:
    """As a reader expects it: nothing for null, JSON's words for the rest."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool() | dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False)
        case int() | float():
            return str(value)
        case Undefined():
            return str(value)
        case _:
            raise TypeError("no JSON value")


def each_charged(values: Iterable[object], cost: int) -> Iterator[object]:
    """What a loop runs over; `cost` is charged for each turn."""
    charge(cost)
    return _each(iter(values), cost)


def weighed(value: object) -> object:
    """What an operator looks through from end to end."""
    charge(_size(value))
    return value


def joined(values: Sequence[object]) -> str:
    return _join(values)


def _each(values: Iterator[object], cost: int) -> Iterator[object]:
    for value in values:
        charge(cost)
        yield value


def _join(values: Iterable[object], separator: str = "") -> str:
    texts = [displayed(value) for value in values]
    charge(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _replace(value: object, old: str, new: str) -> str:
    text = displayed(value)
    charge(text.count(old) * len(new))
    return text.replace(old, new)


def _round(value: float, digits: int = 0) -> object:
    if not 0 <= digits <= _DIGITS_MAX:
        raise ValueError("digits out of range")
    return JINJA_FILTERS["round"](value, digits)


def _items(value: Mapping[str, object]) -> list[tuple[str, object]]:
    return list(value.items())


def _reverse(value: Sequence[object]) -> Sequence[object]:
    return value[::-1]


def _on_text(name: str) -> Callable[..., object]:
    plain = _of_jinja(JINJA_FILTERS, name)
    return lambda value, *arguments: plain(displayed(value), *arguments)


def _of_jinja(table: Mapping[str, Any], name: str) -> Callable[..., object]:
    apply: Callable[..., object] = table[name]
    return apply


def _charged(apply: Callable[..., object]) -> Callable[..., object]:
    @wraps(apply)
    def charged(*arguments: Any, **named: Any) -> object:  # noqa: ANN401  # what templates pass on
        charge(1 + sum(_size(argument) for argument in (*arguments, *named.values())))
        return apply(*arguments, **named)

    return charged


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 1


_TEXT = ("capitalize", "lower", "title", "trim", "upper")
_AS_IN_JINJA = (
    *("abs", "count", "d", "default", "dictsort", "first", "float", "int", "last", "length"),
    *("sort", "truncate"),
)
_UNCHARGED: dict[str, Callable[..., object]] = {
    **{name: _on_text(name) for name in _TEXT},
    **{name: _of_jinja(JINJA_FILTERS, name) for name in _AS_IN_JINJA},
    "items": _items,
    "join": _join,
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "string": displayed,
}
FILTERS = {name: _charged(apply) for name, apply in _UNCHARGED.items()}
# Without those that look at Python's objects or at this environment.
TESTS = {
    name: _charged(_of_jinja(JINJA_TESTS, name))
    for name in JINJA_TESTS
    if name not in {"callable", "escaped", "filter", "test"}
}
