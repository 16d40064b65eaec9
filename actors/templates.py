"""A template and variables make a message within Slack's limits, or a refusal that names no value.

What is rendered is `text` and every string of `blocks` but `type`; keys and structure are the
template's. How values are encoded is `mrkdwn`'s matter, what a template may do the template
language's. A text of a block that comes out empty is refused, as Slack would refuse the whole
message for it: dropping the block would send what nobody wrote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import UndefinedError

from actors.errors import Problem, TemplateFlawed, TooMuchWork, spoken_path
from actors.message_limits import message_refusals
from actors.mrkdwn import Syntax, assemble
from actors.template_filters import bounded_work
from actors.template_language import pieces, source_flaws
from middleware.fates import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from projector.configuration import Template

_Path = tuple[str | int, ...]
# ("blocks", 3): every block has a type, an object inside of one need not.
_BLOCK_PATH_LENGTH = 2


@dataclass(frozen=True, slots=True)
class Rendered:
    text: str
    blocks: tuple[dict[str, object], ...] | None


def render(template: Template, variables: Mapping[str, object]) -> Rendered | Refused:
    """The same template and variables make the same message; neither is changed."""
    rendering = _Rendering(variables)
    try:
        with bounded_work():
            text = rendering.string(template.text, ("text",), Syntax.MRKDWN)
            blocks = None
            if template.blocks is not None:
                blocks = tuple(
                    rendering.json_object(block, ("blocks", at))
                    for at, block in enumerate(template.blocks)
                )
    except UndefinedError as error:
        return Refused("missing_variable", rendering.missing(error.message))
    except TooMuchWork:
        return Refused("template_error", f"{rendering.where()} takes too much work.")
    except TemplateFlawed:
        return Refused("template_error", f"{rendering.where()} is no valid template.")
    except Exception as error:  # noqa: BLE001  # fate: nothing was posted, and nothing ever will be
        # Only the kind of error is told: its text may hold a value.
        kind = type(error).__name__
        return Refused("template_error", f"{rendering.where()} cannot be rendered ({kind}).")
    refused = next(message_refusals(text, blocks), None)
    return refused or Rendered(text, blocks)


def check_template(template: Template) -> list[Problem]:
    """Everything that would keep `template` from being rendered, whatever the variables.

    A problem's line counts inside the string that its path leads to.
    """
    problems = [
        Problem(flaw.line, path, flaw.sentence)
        for path, source in [
            (("text",), template.text),
            *_sources(template.blocks or (), ("blocks",)),
        ]
        for flaw in source_flaws(source)
    ]
    for at, block in enumerate(template.blocks or ()):
        problems += _structure_problems(block, ("blocks", at))
    text = _stand_in(template.text)
    blocks = None if template.blocks is None else [_stand_in(block) for block in template.blocks]
    problems += [Problem(1, (), refused.sentence) for refused in message_refusals(text, blocks)]
    return problems


class _Rendering:
    """Remembers where it is, so that a refusal can say so."""

    def __init__(self, variables: Mapping[str, object]) -> None:
        self._variables = variables
        self._path: _Path = ()
        self._source = ""

    def where(self) -> str:
        return f'"{spoken_path(self._path)}"'

    def missing(self, name: str | None) -> str:
        # A key can be computed from a value: only what stands in the template is repeated.
        if name and re.search(rf"\b{re.escape(name)}\b", self._source):
            return f'The variable "{name}" is missing, which {self.where()} needs.'
        return f"A variable is missing that {self.where()} needs."

    def string(self, source: str, path: _Path, syntax: Syntax) -> str:
        self._path, self._source = path, source
        return assemble(pieces(source, self._variables), syntax)

    def json_object(self, node: Mapping[str, object], path: _Path) -> dict[str, object]:
        kind = node.get("type")
        made = {
            key: inner if key == "type" else self._tree(inner, (*path, key), _syntax(kind, key))
            for key, inner in node.items()
        }
        if kind == "mrkdwn":
            # Else a plain `@here` in a value notifies everyone: in blocks Slack links it unasked.
            made["verbatim"] = True
        return made

    def _tree(self, node: object, path: _Path, syntax: Syntax) -> object:
        match node:
            case str():
                return self.string(node, path, syntax)
            case list():
                return [self._tree(inner, (*path, at), syntax) for at, inner in enumerate(node)]
            case dict():
                return self.json_object(node, path)
            case _:
                return node


def _syntax(kind: object, key: str) -> Syntax:
    if key == "url" or key.endswith("_url"):
        return Syntax.ADDRESS
    if key == "text" and kind in {"mrkdwn", "markdown"}:
        return Syntax.MRKDWN
    return Syntax.PLAIN


def _sources(node: object, path: _Path) -> Iterator[tuple[_Path, str]]:
    match node:
        case str():
            yield path, node
        case list() | tuple():
            for at, inner in enumerate(node):
                yield from _sources(inner, (*path, at))
        case dict():
            for key, inner in node.items():
                if key != "type":
                    yield from _sources(inner, (*path, key))
        case _:
            pass


def _structure_problems(node: object, path: _Path) -> Iterator[Problem]:
    match node:
        case list():
            for at, inner in enumerate(node):
                yield from _structure_problems(inner, (*path, at))
        case dict():
            kind = node.get("type")
            needed = "type" in node or len(path) == _BLOCK_PATH_LENGTH
            if needed and (not isinstance(kind, str) or "{" in kind):
                yield Problem(1, path, "needs a type, and no variable may choose it")
            if kind == "mrkdwn" and node.get("verbatim") is False:
                sentence = "cannot be false: a plain @here in a variable would notify everyone"
                yield Problem(1, (*path, "verbatim"), sentence)
            for key, inner in node.items():
                yield from _structure_problems(inner, (*path, key))
        case _:
            pass


def _stand_in(node: Any) -> Any:  # noqa: ANN401  # JSON in, JSON of the same shape out
    """What depends on variables is one character long here, so that only the rest is measured."""
    match node:
        case str():
            return "x" if "{" in node else node
        case list():
            return [_stand_in(inner) for inner in node]
        case dict():
            return {key: _stand_in(inner) for key, inner in node.items()}
        case _:
            return node
