"""JSON from outside is read only when it means one thing, and written in one way.

A key given twice, a number that is not finite and half of a surrogate pair are read differently
from program to program; a fingerprint over them would compare what nobody sent.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

from projector.errors import FieldProblem, RequestRefused

# Above what 64 KB of variables take with every character escaped; below what hurts to parse.
LINE_MAX_CHARS = 8 * 1024 * 1024
DEPTH_MAX = 16

_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json_object(line: str | bytes) -> dict[str, Any]:
    """One JSON object; raises `RequestRefused` for anything else."""
    if len(line) > LINE_MAX_CHARS:
        _refuse(f"the line is longer than {LINE_MAX_CHARS} characters")
    try:
        text = line.decode() if isinstance(line, bytes) else line
        read = json.loads(text, object_pairs_hook=_object_of, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        _refuse(f"not JSON: {error.msg.lower()} at character {error.pos + 1}")
    except UnicodeDecodeError as error:
        _refuse(f"not UTF-8 at byte {error.start + 1}")
    except RecursionError:
        _refuse("not JSON: nested too deeply")
    except ValueError:
        # NaN, Infinity, or an integer of thousands of digits.
        _refuse("not JSON: it holds a number that JSON does not have, or one too long to read")
    if not isinstance(read, dict):
        _refuse("not a JSON object")
    if isinstance(read, _NamesRepeated):
        raise RequestRefused([FieldProblem(shown(name), "is given twice") for name in read.names])
    return read


def json_flaw(value: object, *, max_nodes: int) -> str | None:
    """What in `value` JSON cannot say, or not in one way, as a sentence; None when nothing.

    More than `max_nodes` values are not looked at: JSON of them takes more bytes than that.
    """
    stack = [(value, 1)]
    looked_at = 0
    while stack:
        node, depth = stack.pop()
        looked_at += 1
        if looked_at > max_nodes:
            return f"hold more than {max_nodes} values"
        if depth > DEPTH_MAX:
            return f"are nested more than {DEPTH_MAX} deep"
        match node:
            case _NamesRepeated():
                return f"give the name {shown(node.names[0])} twice in one object"
            case dict():
                if not all(isinstance(name, str) for name in node):
                    return "have a name that is not text"
                stack += [(inner, depth + 1) for pair in node.items() for inner in pair]
            case list():
                stack += [(inner, depth + 1) for inner in node]
            case _:
                flaw = _scalar_flaw(node)
                if flaw:
                    return flaw
    return None


def compact_json(value: object) -> str:
    """Sorted keys, no white space, non-ASCII as it is, so that equal values are equal text."""
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False
    )


def _scalar_flaw(value: object) -> str | None:
    match value:
        case str():
            return "hold half of a surrogate pair" if _SURROGATE.search(value) else None
        case bool() | None:
            return None
        case int():
            # Python writes no integer of more than 4,300 digits.
            return (
                "hold a number of too many digits" if value.bit_length() > _INT_MAX_BITS else None
            )
        case float():
            return None if math.isfinite(value) else "hold a number that is not finite"
        case _:
            return "hold a value that JSON does not have"


_INT_MAX_BITS = 1024


def shown(name: str) -> str:
    """A name from outside as a log line can hold it, whatever its length and characters."""
    if name.isascii() and name.replace("_", "").isalnum() and len(name) <= _SHOWN_MAX_CHARS:
        return name
    return json.dumps(name[:_SHOWN_MAX_CHARS])


_SHOWN_MAX_CHARS = 60


class _NamesRepeated(dict[str, Any]):
    """An object that gave a name twice; kept until it is known in which field it stands."""

    names: list[str]


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    repeated = _NamesRepeated(made)
    repeated.names = [name for name, times in Counter(n for n, _ in pairs).items() if times > 1]
    return repeated


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)


def _refuse(sentence: str) -> NoReturn:
    raise RequestRefused([FieldProblem(None, sentence)])
