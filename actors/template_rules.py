"""What a template may be made of: choosing, looping and shaping, by the filters there are.

Nothing that calls, includes or defines, so that what is allowed is also what can be charged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jinja2 import nodes

from actors.errors import SourceFlaw
from actors.template_filters import FILTERS, TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign),
    *(nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword),
    *(nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Getitem, nodes.Getattr, nodes.Slice),
    *(nodes.Concat, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg),
    *(nodes.Pos, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod),
)
_SPOKEN: dict[type[nodes.Node], str] = {
    nodes.Call: "calls are not available, filters are",
    nodes.Pow: "powers are not available",
    nodes.NSRef: "namespaces are not available",
}
# Jinja2 gives these a meaning of its own.
_RESERVED = frozenset({"self", "super", "caller"})


def forbidden(tree: nodes.Template) -> Iterator[SourceFlaw]:
    for node in tree.find_all(nodes.Node):
        sentence = _why_forbidden(node)
        if sentence:
            # Nodes that only group others have no line.
            yield SourceFlaw(node.lineno or 1, sentence)


def _why_forbidden(node: nodes.Node) -> str | None:
    if not isinstance(node, _ALLOWED):
        name = re.sub(r"(?<!^)(?=[A-Z])", " ", type(node).__name__).lower()
        return _SPOKEN.get(type(node), f"{name} is not available")
    match node:
        case nodes.Filter(dyn_args=None, dyn_kwargs=None, name=name) if name not in FILTERS:
            known = ", ".join(sorted(FILTERS))
            return f'the filter "{name}" is not available; these are: {known}'
        case nodes.Test(dyn_args=None, dyn_kwargs=None, name=name) if name not in TESTS:
            return f'the test "{name}" is not available'
        case nodes.Filter() | nodes.Test() if node.dyn_args or node.dyn_kwargs:
            return "arguments cannot be unpacked"
        case nodes.Name(name=name) if name in _RESERVED:
            return f'the name "{name}" is reserved'
        case _:
            return None
