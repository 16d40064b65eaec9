"""A template can choose and shape values; it cannot call, import, grow without end or run for long.

Jinja2's immutable sandbox, made narrower: only the nodes named here and the filters of
`template_filters`, no calls at all, and every loop, filter and joined text is charged, so that no
template with any variables holds up the worker that renders it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from actors.errors import SourceFlaw, TemplateFlawed, TooMuchWork
from actors.template_filters import FILTERS, TESTS, charge, displayed, each_charged, joined, weighed
from actors.template_rules import forbidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template
    from jinja2.runtime import Context

# Three times the longest message; the expression trees of more would end in recursion errors.
SOURCE_MAX_CHARS = 12_000
# Products of larger numbers are no amounts; their digits would double with each product.
_INT_MAX_BITS = 256

_LOOP_ATTRIBUTES = frozenset(
    {"first", "last", "index", "index0", "revindex", "revindex0", "length", "previtem", "nextitem"}
)
# A value stands between these two in what Jinja2 renders. Halves of surrogate pairs are in no
# valid text, so neither the template nor a value can hold them.
_VALUE, _VALUE_END = "\udc80", "\udc81"
_BOUNDARY = re.compile(f"[{_VALUE}{_VALUE_END}]")
_SURROGATE = re.compile("[\ud800-\udfff]")

# Names with a space cannot be written in a template.
_EACH, _JOINED, _WEIGHED = "each charged", "joined charged", "weighed charged"


def source_flaws(source: str) -> list[SourceFlaw]:
    """Every reason why `source` cannot be rendered, whatever the variables."""
    try:
        _compiled(source)
    except TemplateFlawed as flawed:
        return list(flawed.flaws)
    return []


def pieces(source: str, variables: Mapping[str, object]) -> list[str]:
    """Template text, value, template text, …: an odd number of texts, values at the odd positions.

    To be called within `bounded_work`. Raises jinja2's UndefinedError, whose message is the name of
    the missing variable or nothing, and whatever the template's own expressions raise.
    """
    if "{" not in source:
        # Jinja2 drops the last line break too, as a block of YAML ends in one.
        return [source.removesuffix("\n")]
    template = _compiled(source)
    rendered = template.root_render_func(template.new_context(dict(variables), shared=True))
    return _BOUNDARY.split("".join(rendered))


class _Missing(StrictUndefined):
    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return self._undefined_name if isinstance(self._undefined_name, str) else ""


# With the context as argument Jinja2 cannot call it for constants while it compiles, uncharged.
@pass_context
def _between_marks(_context: Context, value: object) -> str:
    text = displayed(value)
    if _SURROGATE.search(text):
        raise ValueError("half of a surrogate pair")
    charge(len(text))
    return f"{_VALUE}{text}{_VALUE_END}"


class _Environment(ImmutableSandboxedEnvironment):
    """Attributes are keys of JSON objects and nothing else, so no method can be reached."""

    intercepted_binops = frozenset({"+", "*", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401  # jinja2's signature
        if isinstance(obj, dict):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        known = isinstance(obj, LoopContext) and attribute in _LOOP_ATTRIBUTES
        if known or isinstance(obj, Undefined):
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401  # jinja2's signature
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        return super().getitem(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401  # jinja2's signature
        for side in (left, right):
            if isinstance(side, int) and side.bit_length() > _INT_MAX_BITS:
                raise TooMuchWork
            if isinstance(side, str | list) and operator == "+":
                charge(len(side))
            elif not isinstance(side, int | float | Undefined):
                # `*` would repeat a text, `%` format one, to any length.
                raise TypeError("arithmetic on text")
        return super().call_binop(context, operator, left, right)


_ENVIRONMENT = _Environment(
    autoescape=False, undefined=_Missing, finalize=_between_marks, optimized=False
)
_ENVIRONMENT.globals = {}
_ENVIRONMENT.filters = {**FILTERS, _EACH: each_charged, _JOINED: joined, _WEIGHED: weighed}
_ENVIRONMENT.tests = dict(TESTS)


# Compiling takes a thousand times what rendering takes. The source itself is the key.
@lru_cache(maxsize=1024)
def _compiled(source: str) -> Template:
    if len(source) > SOURCE_MAX_CHARS:
        sentence = f"is {len(source)} characters long, {SOURCE_MAX_CHARS} at most are allowed"
        raise TemplateFlawed([SourceFlaw(1, sentence)])
    surrogate = _SURROGATE.search(source)
    if surrogate:
        line = source.count("\n", 0, surrogate.start()) + 1
        raise TemplateFlawed([SourceFlaw(line, "holds half of a surrogate pair")])
    try:
        tree = _ENVIRONMENT.parse(source)
        flaws = list(forbidden(tree))
        if not flaws:
            charged = _Charges().visit(tree)
            charged.set_environment(_ENVIRONMENT)
            return _ENVIRONMENT.from_string(charged)
    except TemplateSyntaxError as error:
        flaws = [SourceFlaw(error.lineno, f"is no valid template: {error.message}")]
    except (RecursionError, MemoryError, SyntaxError):
        # The last two are Python's compiler, at the depth where it gives up.
        flaws = [SourceFlaw(1, "is nested too deeply")]
    raise TemplateFlawed(flaws)


class _Charges(NodeTransformer):
    """Puts the charge into the tree, where no template can leave it out."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  # jinja2's naming
        cost = sum(_cost(inner) for inner in node.find_all(nodes.Node))
        self.generic_visit(node)
        node.iter = _filtered(node.iter, _EACH, nodes.Const(cost))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  # jinja2's naming
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), _JOINED)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802  # jinja2's naming
        self.generic_visit(node)
        node.expr = _filtered(node.expr, _WEIGHED)
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, _WEIGHED)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802  # jinja2's naming
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            node.node = _filtered(node.node, _WEIGHED)
        return node


def _filtered(node: nodes.Node, name: str, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, [*arguments], [], None, None, lineno=node.lineno)


def _cost(node: nodes.Node) -> int:
    return 1 + len(node.data) if isinstance(node, nodes.TemplateData) else 1
