"""A text becomes YAML's nodes, or is refused before its nesting or its aliases can do harm."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from actors.errors import Problem, YamlRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_MAX_CHARS = 16 * 1024 * 1024
# Twice what the blocks of a message nest; libyaml's composer overflows the stack at some
# ten thousands.
DEPTH_MAX = 40
# Counted with every alias written out: tens of thousands of tenants.
NODES_MAX = 2_000_000

SURROGATE = re.compile("[\ud800-\udfff]")

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """Counted from 1. `first_line` is where the text of a scalar begins."""

    line: int
    column: int
    literal: bool = False

    @property
    def first_line(self) -> int:
        # A literal block (`|`) begins in the line after its sign; line for line as in the file.
        return self.line + 1 if self.literal else self.line


def compose(text: str) -> Any:  # noqa: ANN401  # a node, None when there is no document
    """One syntax error at most is found: what follows it cannot be read with any certainty."""
    if len(text) > FILE_MAX_CHARS:
        _refuse(None, f"the file is longer than {FILE_MAX_CHARS} characters")
    surrogate = SURROGATE.search(text)
    if surrogate:
        _refuse_at(text, surrogate.start(), "half of a surrogate pair")
    try:
        _refuse_depth(text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.reader.ReaderError as error:
        _refuse_at(text, error.position, f"not YAML: {error.reason}")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = ", ".join(word for word in (error.context, error.problem) if word)
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise YamlRefused([Problem(place[0], (), f"not YAML: {words}", place[1])]) from None
    if root is not None and _written_out(root, {}) > NODES_MAX:
        _refuse(root, f"with its aliases written out the file has more than {NODES_MAX} values")
    return root


def _refuse_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX:
            _refuse(event, f"nested more than {DEPTH_MAX} deep")


def _written_out(node: yaml.Node, sizes: dict[int, int | None]) -> int:
    """The number of values with each alias replaced by what it stands for."""
    if id(node) not in sizes:
        sizes[id(node)] = None
        sizes[id(node)] = 1 + sum(_written_out(inner, sizes) for inner in _children(node))
    size = sizes[id(node)]
    if size is None:
        _refuse(node, "the value with this anchor holds itself")
    return size


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def place_of(node: Any) -> Place:  # noqa: ANN401  # a node or an event
    mark = node.start_mark
    return Place(mark.line + 1, mark.column + 1, literal=getattr(node, "style", None) == "|")


def _refuse(node: Any, sentence: str) -> NoReturn:  # noqa: ANN401  # a node or an event
    place = None if node is None else place_of(node)
    line, column = (place.line, place.column) if place else (None, None)
    raise YamlRefused([Problem(line, (), sentence, column)])


def _refuse_at(text: str, position: int, sentence: str) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    raise YamlRefused([Problem(line, (), sentence, column)])
