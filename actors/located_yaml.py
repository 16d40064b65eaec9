"""YAML becomes plain JSON values whose places in the file are known, and nothing else.

No tag makes an object, no key stands twice, no alias multiplies without end; what YAML 1.1 reads
as a date is refused, `no` for a name stays the false that its reader must refuse.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import yaml

from actors.errors import Problem
from actors.yaml_nodes import SURROGATE, Place, compose, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONSTRUCTOR: Any = yaml.constructor.SafeConstructor()
_TAG = "tag:yaml.org,2002:"
_MAP, _SEQ = f"{_TAG}map", f"{_TAG}seq"

_Path = tuple[str | int, ...]


class LocatedYaml:
    """One document. Raises `YamlRefused` when it is none at all.

    What could be read but may not stand there is told by `problems`; `value` has None in its place,
    the first of two values of one name, and every name as text.
    """

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self._values: dict[int, object] = {}
        self._root = compose(text)
        self.value = self._value(self._root, ()) if self._root is not None else None

    def place(self, path: Sequence[str | int], *, of_key: bool = False) -> Place | None:
        """Of the value at `path` or of its key; what is not there is at what should hold it."""
        node, key = self._root, None
        for step in path:
            held = _held(node, step)
            if held is None:
                break
            key, node = held
        node = key if of_key and key is not None else node
        return None if node is None else place_of(node)

    def _value(self, node: yaml.Node, path: _Path) -> object:
        # An alias is the same node, so it is read, and complained about, once.
        if id(node) not in self._values:
            self._values[id(node)] = self._read(node, path)
        return self._values[id(node)]

    def _read(self, node: yaml.Node, path: _Path) -> object:
        match node:
            case yaml.MappingNode(tag=tag) if tag == _MAP:
                return self._mapping(node, path)
            case yaml.SequenceNode(tag=tag) if tag == _SEQ:
                return [self._value(inner, (*path, at)) for at, inner in enumerate(node.value)]
            case yaml.ScalarNode():
                return self._scalar(node, path)
            case _:
                return self._refused(node, path, f"the tag {node.tag} is not supported")

    def _mapping(self, node: yaml.MappingNode, path: _Path) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, inner in node.value:
            if key.tag == f"{_TAG}merge":
                self._complain(key, path, "merge keys (<<) are not supported; a whole alias is")
            elif not isinstance(key, yaml.ScalarNode):
                self._complain(key, path, "the name before the colon is not text")
            elif key.value in made:
                self._complain(key, (*path, key.value), "is given twice")
            else:
                made[key.value] = self._value(inner, (*path, key.value))
                if key.tag != f"{_TAG}str":
                    sentence = f'the name "{key.value}" is not text; write it in quotes'
                    self._complain(key, path, sentence)
                elif SURROGATE.search(key.value):
                    self._complain(key, path, "a name holds half of a surrogate pair")
        return made

    def _scalar(self, node: yaml.ScalarNode, path: _Path) -> object:
        kind = node.tag.removeprefix(_TAG)
        text: str = node.value
        if kind in {"str", "value"}:
            if SURROGATE.search(text):
                return self._refused(node, path, "holds half of a surrogate pair")
            return text
        if kind not in {"int", "float", "bool", "null"}:
            kind = "a date" if kind == "timestamp" else f"tagged {node.tag}"
            return self._refused(node, path, f"is {kind}; write it in quotes if it is text")
        try:
            value: object = getattr(_CONSTRUCTOR, f"construct_yaml_{kind}")(node)
        except (ValueError, KeyError, IndexError):
            return self._refused(node, path, f"is no {kind}")
        if isinstance(value, float) and not math.isfinite(value):
            return self._refused(node, path, "is a number that is not finite")
        return value

    def _refused(self, node: yaml.Node, path: _Path, sentence: str) -> object:
        self._complain(node, path, sentence)
        return None

    def _complain(self, node: yaml.Node, path: _Path, sentence: str) -> None:
        place = place_of(node)
        self.problems.append(Problem(place.line, path, sentence, place.column))


def _held(node: Any, step: str | int) -> tuple[Any, Any] | None:  # noqa: ANN401  # nodes
    if isinstance(node, yaml.MappingNode):
        return next(((key, inner) for key, inner in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return None, node.value[step]
    return None
