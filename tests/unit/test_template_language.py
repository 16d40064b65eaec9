from __future__ import annotations

from typing import Any

import pytest

from actors.errors import TooMuchWork
from actors.template_filters import bounded_work
from actors.template_language import SOURCE_MAX_CHARS, pieces, source_flaws


def rendered(source: str, **variables: Any) -> str:  # noqa: ANN401  # JSON values
    with bounded_work():
        return "".join(pieces(source, variables))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("no template\n", "no template"),
        ("{{ title|upper }}, {{ title|truncate(5, true, '…', 0) }}", "A TITLE, A Ti…"),
        ("{{ missing|default('none') }}", "none"),
        ("{{ 'yes' if done else 'no' }}", "yes"),
        ("{% for p in people %}{{ loop.index }}/{{ loop.length }} {{ p.name }};{% endfor %}",
         "1/2 Ann;2/2 Bo;"),
        ("{% for p in people if p.age > 40 %}{{ p.name }}{% else %}nobody{% endfor %}", "Bo"),
        ("{% for p in people|sort(attribute='age', reverse=true) %}{{ p['name'] }}{% endfor %}",
         "BoAnn"),
        ("{% for key, value in labels|items %}{{ key }}={{ value }}{% endfor %}", "items=1"),
        ("{{ labels.items }}", "1"),
        ("{{ people[0].name[:2] ~ '-' ~ 1 ~ nothing }}", "An-1"),
        ("{{ people|length + 1 }} {{ 7 % 4 }} {{ 2 * 3 }} {{ 10 / 4 }} {{ 2.567|round(1) }}",
         "3 3 6 2.5 2.6"),
        ("{{ ['a', 'b']|join(', ') }} {{ 'a-b'|replace('-', '+') }}", "a, b a+b"),
        ("{{ nothing }}|{{ done }}|{{ labels }}", '|true|{"items": 1}'),
        ("{% set short = title|lower %}{{ short }}", "a title"),
        ("{% if missing is defined %}x{% endif %}{{ 'b' in 'abc' }}", "true"),
        ("{# a comment #}a\n", "a"),
    ],
)  # fmt: skip
def test_a_template_can_choose_and_shape_values(source: str, text: str) -> None:
    # Given
    people = [{"name": "Ann", "age": 40}, {"name": "Bo", "age": 50}]
    labels = {"items": 1}

    # When / Then
    assert source_flaws(source) == []
    assert (
        rendered(source, title="A Title", done=True, nothing=None, people=people, labels=labels)
        == text
    )


def test_values_are_told_from_the_template_whatever_made_them() -> None:
    # Given
    source = "a{{ x }}{{ 'lit' ~ x }}{% for y in [x] %}b{{ y }}{% endfor %}"

    # When
    with bounded_work():
        found = pieces(source, {"x": "<"})

    # Then
    assert found[0::2] == ["a", "", "b", ""]
    assert found[1::2] == ["<", "lit<", "<"]


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("\n\nhello {{ name", 3, "is no valid template: unexpected end of template"),
        ("{% if x %}", 1, "is no valid template"),
        ("{{ x }\n}", 1, "is no valid template"),
        ("a\n{{ x|shout }}", 2, 'the filter "shout" is not available; these are: abs, '),
        ("{{ x|safe }}", 1, 'the filter "safe" is not available'),
        ("{{ x|attr('y') }}", 1, 'the filter "attr" is not available'),
        ("{{ x|format(1) }}", 1, 'the filter "format" is not available'),
        ("{{ x is callable }}", 1, 'the test "callable" is not available'),
        ("{{ x is shiny }}", 1, 'the test "shiny" is not available'),
        ("{{ x.upper() }}", 1, "calls are not available, filters are"),
        ("{% for i in range(9) %}{% endfor %}", 1, "calls are not available, filters are"),
        ("{{ 9 ** 9 }}", 1, "powers are not available"),
        ("{% include 'x' %}", 1, "include is not available"),
        ("{% import 'x' as y %}", 1, "import is not available"),
        ("{% from 'x' import y %}", 1, "from import is not available"),
        ("{% extends 'x' %}", 1, "extends is not available"),
        ("{% block x %}{% endblock %}", 1, "block is not available"),
        ("{% macro x() %}{% endmacro %}", 1, "macro is not available"),
        ("{% filter upper %}x{% endfilter %}", 1, "filter block is not available"),
        ("{% set x %}y{% endset %}", 1, "assign block is not available"),
        ("{% with x = 1 %}{% endwith %}", 1, "with is not available"),
        ("{% set x.y = 1 %}", 1, "namespaces are not available"),
        ("{% autoescape true %}{% endautoescape %}", 1, "scope is not available"),
        ("{{ self }}", 1, 'the name "self" is reserved'),
        ("{{ x|join(*y) }}", 1, "arguments cannot be unpacked"),
        ("a\nb\ud800", 2, "holds half of a surrogate pair"),
        ("{{ x }}" + "y" * SOURCE_MAX_CHARS, 1, "is 12007 characters long, 12000 at most"),
        ("{{ x" + "|upper" * 1500 + " }}", 1, "is nested too deeply"),
        ("{{ " + "(" * 3000 + "x" + ")" * 3000 + " }}", 1, "is nested too deeply"),
        ("{% if x %}" * 500 + "{% endif %}" * 500, 1, "is nested too deeply"),
    ],
)
def test_what_cannot_be_rendered_is_told_with_its_line(source: str, line: int, said: str) -> None:
    # When
    flaws = source_flaws(source)

    # Then
    assert flaws[0].line == line
    assert flaws[0].sentence.startswith(said)


@pytest.mark.parametrize(
    "attribute",
    [
        "x.__class__",
        "x['__class__']",
        "x.upper",
        "number.real",
        "things.append",
        "loop.cycle",
        "loop._iterable",
        "loop.__init__",
    ],
)
def test_no_attribute_of_python_can_be_reached(attribute: str) -> None:
    # Given
    source = f"{{% for y in things %}}{{{{ {attribute} is defined }}}}{{% endfor %}}"

    # When / Then
    assert rendered(source, x="text", number=1, things=[1]) == "false"


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in many %}" * 3 + "{% endfor %}" * 3,
        "{% for a in many %}{% for b in many %}" + "x" * 3000 + "{% endfor %}{% endfor %}",
        "{% for a in many %}{% for b in many %}{{ 'x' }}{% endfor %}{% endfor %}",
        "{% for a in many %}{% if long in long %}{% endif %}{% endfor %}",
        "{% for a in many %}{% for b in many %}{{ long[1:]|length }}{% endfor %}{% endfor %}",
        "{% for a in many %}{{ long|upper|lower|upper|length }}{% endfor %}",
        "{% for a in many %}{% if long is eq(long) %}{% endif %}{% endfor %}",
        "{{ long|replace('a', long) }}",
        "{% set x = many|join(long) %}",
        "{% for a in many %}{% if long == 1 %}{% endif %}{% endfor %}",
        "{% for a in many %}{% if 1 == long %}{% endif %}{% endfor %}",
        "{% for a in many %}{% set x = long[1:] %}{% endfor %}",
        "{% set long = long ~ long %}" * 300 + "{{ long }}",
        "{% set long = long + long %}" * 300 + "{{ long }}",
        "{% set many = many + many %}" * 300 + "{{ many }}",
        "{% set n = 99999999999 %}" + "{% set n = n * n %}" * 300 + "{{ n }}",
    ],
)  # fmt: skip
def test_a_template_that_would_not_end_is_stopped(source: str) -> None:
    # Given
    assert source_flaws(source) == []

    # When / Then
    with pytest.raises(TooMuchWork):
        rendered(source, many=["a"] * 16_000, long="a" * 60_000)


@pytest.mark.parametrize(
    "source", ["{{ 'a' * 999999999 }}", "{{ [0] * 999999999 }}", "{{ '%999999999d' % 1 }}"]
)
def test_a_text_can_be_neither_repeated_nor_padded_to_any_length(source: str) -> None:
    # When / Then
    with pytest.raises(TypeError):
        rendered(source)


def test_marks_in_a_value_are_not_taken_for_the_renderers_own() -> None:
    # When / Then
    with pytest.raises(ValueError, match="surrogate"):
        rendered("{{ x }}", x="\udc81<!channel>\udc80")
