from __future__ import annotations

from typing import Any

import pytest

from sandbox.slack.blocks import check_blocks
from sandbox.slack.errors import SlackError

PLAIN = {"type": "plain_text", "text": "x"}
BUTTON = {"type": "button", "text": PLAIN, "action_id": "go"}
GOOD: list[dict[str, Any]] = [
    {"type": "header", "text": {"type": "plain_text", "text": "h" * 150, "emoji": True}},
    {"type": "divider", "block_id": "line"},
    {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "s" * 3_000, "verbatim": True},
        "fields": [{"type": "mrkdwn", "text": "f"}] * 10,
        "accessory": BUTTON,
    },
    {"type": "context", "elements": [PLAIN, {"type": "image", "image_url": "u", "alt_text": "a"}]},
    {"type": "actions", "elements": [BUTTON, {"type": "datepicker", "action_id": "day"}]},
    {"type": "markdown", "text": "# Title"},
    {"type": "rich_text", "elements": []},
]


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_blocks_within_the_limits_come_back_as_they_are() -> None:
    # When / Then
    assert check_blocks(GOOD) == tuple(GOOD)


@pytest.mark.parametrize("blocks", [{"type": "divider"}, "text", ["divider"], 1])
def test_what_is_no_list_of_objects_has_no_format(blocks: object) -> None:
    # When
    with pytest.raises(SlackError) as raised:
        check_blocks(blocks)

    # Then
    assert raised.value.code == "invalid_blocks_format"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"type": "sektion"}, "unsupported type: sektion [json-pointer:/blocks/0/type]"),
        ({"text": PLAIN}, "missing required field: type [json-pointer:/blocks/0]"),
        ({"type": "section"}, "missing required field: text [json-pointer:/blocks/0]"),
        ({"type": "header"}, "missing required field: text [json-pointer:/blocks/0]"),
        (
            {"type": "divider", "text": "x"},
            "invalid additional property: text [json-pointer:/blocks/0]",
        ),
        (section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        (
            section("x" * 3_001),
            "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            {"type": "section", "text": {"type": "markdown", "text": "x"}},
            "unsupported type: markdown [json-pointer:/blocks/0/text/type]",
        ),
        (
            {"type": "section", "fields": [PLAIN] * 11},
            "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
        ),
        (
            {"type": "context", "elements": [PLAIN] * 11},
            "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            {"type": "actions", "elements": []},
            "must have at least 1 items [json-pointer:/blocks/0/elements]",
        ),
        (
            {"type": "actions", "elements": [{"type": "knob"}]},
            "unsupported type: knob [json-pointer:/blocks/0/elements/0/type]",
        ),
    ],
)
def test_what_breaks_a_shape_is_told_with_its_place(block: dict[str, Any], message: str) -> None:
    # When
    with pytest.raises(SlackError) as raised:
        check_blocks([block])

    # Then
    assert raised.value.code == "invalid_blocks"
    assert f"[ERROR] {message}" in raised.value.messages


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([{"type": "divider", "block_id": "same"}] * 2, "invalid_blocks"),
        ([section("x" * 3_000)] * 5, "msg_blocks_too_long"),
    ],
)
def test_all_blocks_together_have_limits_too(blocks: list[dict[str, Any]], code: str) -> None:
    # When
    with pytest.raises(SlackError) as raised:
        check_blocks(blocks)

    # Then
    assert raised.value.code == code
