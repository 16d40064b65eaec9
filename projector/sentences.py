"""Each thing wrong with an input is one plain sentence, with no jargon and no value of a field.

The sentences follow the name of a field ("tenant: is missing"), so they begin with the verb.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# Validators of ours raise this type; its message is the sentence already.
PLAIN = "plain_sentence"

_NEEDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known name here",
    "invalid_key": "has a name that is not text; write it in quotes",
    "too_short": "is empty",
    "string_too_short": "is empty",
}
_MUST_BE = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "dict_type": "an object of names and values",
    "model_type": "an object of names and values",
    "list_type": "a list",
    "tuple_type": "a list",
}


def plain(sentence: str) -> PydanticCustomError:
    """What a validator raises; `sentence` must not hold the value, since it is shown and logged."""
    return PydanticCustomError(PLAIN, "{sentence}", {"sentence": sentence})


def sentence_for(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _NEEDS:
        return _NEEDS[kind]
    if kind in _MUST_BE:
        quotes = (
            "; write it in quotes" if kind == "string_type" and _is_bare(error["input"]) else ""
        )
        return f"must be {_MUST_BE[kind]}, not {_name_of(error['input'])}{quotes}"
    if kind == "literal_error":
        return f"must be {error['ctx']['expected']}"
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound, words = ("ge", "at least") if kind[0] == "g" else ("le", "at most")
        return f"must be {words} {error['ctx'][bound]}"
    return error["msg"]


def _name_of(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int():
            return "a number"
        case float():
            return "a number with a fraction"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "something else"


def _is_bare(value: object) -> bool:
    return isinstance(value, bool | int | float)
