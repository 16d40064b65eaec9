from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.message_limits import BLOCKS_TEXT_MAX_CHARS, TEXT_MAX_CHARS, TEXT_OBJECT_MAX_CHARS
from actors.templates import Rendered, check_template, render
from actors.tenants_file import read_tenants_file
from middleware.fates import Refused
from projector.configuration import Template
from projector.message_request import parse_request

EXAMPLES = Path(__file__).parents[2] / "examples"
CANARY = "canary4711"


def template(text: str, *blocks: dict[str, Any]) -> Template:
    return Template.model_validate({"text": text, "blocks": list(blocks) or None})


def section(text: str, kind: str = "mrkdwn", *, block: str = "section") -> dict[str, Any]:
    return {"type": block, "text": {"type": kind, "text": text}}


def two_columns(text: str) -> dict[str, Any]:
    return {"type": "section", "fields": [{"type": "mrkdwn", "text": text}]}


def strings(node: object) -> list[str]:
    match node:
        case str():
            return [node]
        case list() | tuple():
            return [text for inner in node for text in strings(inner)]
        case dict():
            return [text for inner in node.values() for text in strings(inner)]
        case _:
            return []


def test_every_example_makes_a_message() -> None:
    # Given
    tenants = read_tenants_file(EXAMPLES / "tenants.yaml")
    lines = (EXAMPLES / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    requests = [parse_request(line, now_ms=0) for line in lines]

    # When
    made = [
        render(tenants[request.tenant].templates[request.template_code], request.variables)
        for request in requests
    ]

    # Then
    assert len(made) == 183
    for request, message in zip(requests, made, strict=True):
        assert isinstance(message, Rendered)
        assert message.text.endswith(f"ref {request.message_request_id}")
        assert message.blocks is not None
        assert len(message.blocks) == 2


def test_what_is_not_a_template_stays_as_it_is() -> None:
    # Given
    blocks: list[dict[str, Any]] = [
        {"type": "divider"},
        {"type": "actions", "elements": [{"type": "button", "style": "primary", "emoji": True}]},
    ]

    # When
    message = render(template("plain", *blocks), {})

    # Then
    assert message == Rendered("plain", tuple(blocks))


@given(st.text(max_size=500))
def test_a_value_makes_nothing_live_wherever_it_stands(value: str) -> None:
    # Given
    form = template(
        ".{{ v }}",
        section(".{{ v }}"),
        section(".{{ v }}", "plain_text"),
        two_columns(".{{ v }}"),
        {"type": "markdown", "text": ".{{ v }}"},
        {"type": "context", "elements": [{"type": "plain_text", "text": ".{{ v }}"}]},
        {"type": "image", "image_url": "https://x/{{ v }}", "alt_text": ".{{ v }}"},
    )

    # When
    message = render(form, {"v": value})

    # Then
    assert isinstance(message, Rendered)
    rendered = [message.text, *strings(message.blocks)]
    assert not any(set("<>") & set(text) for text in rendered)
    assert message.text.count("&") == sum(map(value.count, "&<>"))


def test_an_address_in_a_block_is_not_escaped_since_slack_decodes_nothing_in_it() -> None:
    # Given
    form = template("x", {"type": "image", "image_url": "{{ url }}", "alt_text": "{{ url }}"})

    # When
    message = render(form, {"url": "https://x/?a=1&b=2"})

    # Then
    assert isinstance(message, Rendered)
    assert message.blocks == (
        {
            "type": "image",
            "image_url": "https://x/?a=1&b=2",
            "alt_text": "https://x/?a=1&amp;b=2",
        },
    )


def test_control_sequences_are_the_templates_to_write() -> None:
    # Given
    form = template("<!here> <@{{ who }}> {{ text }}")

    # When
    message = render(form, {"who": "U1", "text": "<!channel> <@U2>"})

    # Then
    assert message == Rendered("<!here> <@U1> &lt;!channel&gt; &lt;@U2&gt;", None)


def test_a_link_is_the_same_through_conditions_and_loops() -> None:
    # Given
    form = template(
        "{% for x in links %}<{% if x.url %}{{ x.url }}{% else %}https://none{% endif %}|"
        "{{ x.title }}> {% endfor %}"
    )

    # When
    message = render(form, {"links": [{"url": "!here", "title": "a>b"}, {"url": "", "title": "c"}]})

    # Then
    assert message == Rendered("<%21here|a&gt;b> <https://none|c> ", None)


def test_plain_mentions_in_values_are_not_linked_by_slack() -> None:
    # Given
    form = template("x", section("{{ v }}"), section("{{ v }}", "plain_text"))

    # When
    message = render(form, {"v": "@here"})

    # Then
    assert isinstance(message, Rendered)
    assert message.blocks is not None
    assert message.blocks[0]["text"] == {"type": "mrkdwn", "text": "@here", "verbatim": True}
    assert message.blocks[1]["text"] == {"type": "plain_text", "text": "@here"}


@pytest.mark.parametrize(
    ("form", "code", "sentence"),
    [
        (template("{{ who }}"), "missing_variable",
         'The variable "who" is missing, which "text" needs.'),
        (template("{{ who or 'x' }}"), "missing_variable",
         'The variable "who" is missing, which "text" needs.'),
        (template("x", section("{{ user.mail }}")), "missing_variable",
         'The variable "mail" is missing, which "blocks[0].text.text" needs.'),
        (template("{{ user[secret] }}"), "missing_variable",
         'A variable is missing that "text" needs.'),
        (template("{{ secret / 0 }}"), "template_error", '"text" cannot be rendered (TypeError).'),
        (template("{{ 1 / 0 }}"), "template_error",
         '"text" cannot be rendered (ZeroDivisionError).'),
        (template("{{ secret|int + secret }}"), "template_error",
         '"text" cannot be rendered (TypeError).'),
        (template("{{ loud() }}"), "template_error", '"text" is no valid template.'),
        (template("{% for a in many %}{% for b in many %}{{ secret }}{% endfor %}{% endfor %}"),
         "template_error", '"text" takes too much work.'),
        (template("{{ empty }}"), "no_text", "The text is empty, and there are no blocks."),
        (template("{{ long }}x"), "msg_too_long",
         "The text has 4001 characters, 4000 at most are allowed."),
        (template("x", section("{{ empty }}")), "invalid_blocks",
         'blocks[0].text.text is empty; where a variable may be, {{ x or "-" }} helps.'),
        (template("x", {"type": "divider"}, section("{{ long[:3000] }}x")), "invalid_blocks",
         "blocks[1].text.text has 3001 characters, 3000 at most are allowed."),
        (template("x", section("{{ long[:151] }}", "plain_text", block="header")),
         "invalid_blocks", "blocks[0].text.text has 151 characters, 150 at most are allowed."),
        (template("x", two_columns("{{ long[:2001] }}")), "invalid_blocks",
         "blocks[0].fields[0].text has 2001 characters, 2000 at most are allowed."),
        (template("x", *[section("{{ long[:2700] }}")] * 5), "msg_blocks_too_long",
         "The blocks have 13500 characters, 13200 at most are allowed."),
        (template("x", *[section("x") | {"block_id": "{{ long }}"}] * 26), "msg_blocks_too_long",
         "The message has 106503 bytes, 100000 at most are allowed."),
        (template("x", section("x") | {"\ud83d": 1}), "invalid_blocks",
         "The blocks hold half of a character, which is no text."),
        (template("x", *[{"type": "divider"}] * 51), "invalid_blocks",
         "There are 51 blocks, 50 at most are allowed."),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_in_words_without_a_value(
    form: Template, code: str, sentence: str
) -> None:
    # Given
    variables = {
        "secret": CANARY,
        "user": {"name": CANARY},
        "many": [CANARY] * 5_000,
        "empty": "",
        "long": "y" * TEXT_MAX_CHARS,
    }

    # When
    answer = render(form, variables)

    # Then
    assert answer == Refused(code, sentence)
    assert CANARY not in sentence


def test_lengths_are_counted_as_sent_and_the_longest_allowed_pass() -> None:
    # Given
    form = template("{{ text }}", section("{{ block }}"))
    variables = {"text": "&" * (TEXT_MAX_CHARS // 5), "block": "y" * TEXT_OBJECT_MAX_CHARS}

    # When
    message = render(form, variables)

    # Then
    assert isinstance(message, Rendered)
    assert len(message.text) == TEXT_MAX_CHARS
    assert render(form, variables | {"text": variables["text"] + "&"}) == Refused(
        "msg_too_long", "The text has 4005 characters, 4000 at most are allowed."
    )


def test_fifty_blocks_of_all_the_text_that_is_allowed_pass() -> None:
    # Given
    form = template("x", *[section("{{ v }}")] * 50)

    # When
    message = render(form, {"v": "y" * (BLOCKS_TEXT_MAX_CHARS // 50)})

    # Then
    assert isinstance(message, Rendered)


def test_rendering_changes_neither_template_nor_variables() -> None:
    # Given
    form = template("{{ user.name }}", section("{{ user.name }}"))
    variables = {"user": {"name": "a<b"}}

    # When
    first = render(form, variables)

    # Then
    assert render(form, variables) == first
    assert variables == {"user": {"name": "a<b"}}
    assert form == template("{{ user.name }}", section("{{ user.name }}"))


def test_a_good_template_has_no_problem() -> None:
    # Given
    form = template("{{ x }}", section("{{ x }}"), {"type": "divider"})

    # When / Then
    assert check_template(form) == []


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (template("{{ x"), ["line 1: text: is no valid template: unexpected end of template"]),
        (template("ok", {"type": "divider"}, section("a\n{{ x|e }}")),
         ['line 2: blocks[1].text.text: the filter "e" is not available']),
        (template("{{ a() }}", {"text": "x"}), ["line 1: text: calls", "line 1: blocks[0]: needs"]),
        (template("x", {"type": "{{ kind }}"}), ["line 1: blocks[0]: needs a type"]),
        (template("x", {"type": "section", "text": {"type": "mrkdwn", "text": "x",
                                                     "verbatim": False}}),
         ["line 1: blocks[0].text.verbatim: cannot be false"]),
        (template("x", *[{"type": "divider"}] * 51), ["line 1: There are 51 blocks"]),
        (template("x", section("y" * 3001)), ["line 1: blocks[0].text.text has 3001 characters"]),
        (template(" "), ["line 1: The text is empty"]),
    ],
)  # fmt: skip
def test_a_bad_template_is_told_before_anything_is_sent(form: Template, told: list[str]) -> None:
    # When
    problems = check_template(form)

    # Then
    assert len(problems) == len(told)
    for problem, beginning in zip(problems, told, strict=True):
        assert str(problem).startswith(beginning)
