"""Block Kit's shapes and limits; what breaks one is answered as Slack answers it, with a pointer.

The kinds a template uses are checked in full. Other kinds that Slack knows pass as they are.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from sandbox.slack.errors import SlackError

_MOST_BLOCKS = 50
# Undocumented, measured by users on the blocks' JSON (bolt-js #2509).
_MOST_JSON = 13_200


def check_blocks(blocks: Any) -> tuple[dict[str, Any], ...]:  # noqa: ANN401 - JSON of any shape
    """Return them as they came; raises `invalid_blocks…` or `msg_blocks_too_long`."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    try:
        _BLOCKS.validate_python(blocks)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=True, include_input=True)
        raise SlackError(
            "invalid_blocks", *(_sentence(dict(found)) for found in problems)
        ) from None
    names = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(names)) < len(names):
        raise SlackError("invalid_blocks", "block_id must be unique [json-pointer:/blocks]")
    if len(json.dumps(blocks, ensure_ascii=False)) > _MOST_JSON:
        raise SlackError("msg_blocks_too_long")
    return tuple(blocks)


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Block(_Shape):
    block_id: str | None = Field(default=None, max_length=255)


class _Plain(_Shape):
    type: Literal["plain_text"]
    text: str = Field(min_length=1, max_length=3000)
    emoji: bool | None = None


class _Mrkdwn(_Shape):
    type: Literal["mrkdwn"]
    text: str = Field(min_length=1, max_length=3000)
    verbatim: bool | None = None


_Text = Annotated[_Plain | _Mrkdwn, Field(discriminator="type")]


class _Title(_Plain):
    text: str = Field(min_length=1, max_length=150)


class _Label(_Plain):
    text: str = Field(min_length=1, max_length=75)


class _PlainField(_Plain):
    text: str = Field(min_length=1, max_length=2000)


class _MrkdwnField(_Mrkdwn):
    text: str = Field(min_length=1, max_length=2000)


_SectionField = Annotated[_PlainField | _MrkdwnField, Field(discriminator="type")]


class _Picture(_Shape):
    """An image inside another block."""

    type: Literal["image"]
    alt_text: str = Field(min_length=1, max_length=2000)
    image_url: str | None = Field(default=None, min_length=1, max_length=3000)
    slack_file: dict[str, Any] | None = None


class _Button(_Shape):
    type: Literal["button"]
    text: _Label
    action_id: str | None = Field(default=None, max_length=255)
    url: str | None = Field(default=None, max_length=3000)
    value: str | None = Field(default=None, max_length=2000)
    style: Literal["primary", "danger"] | None = None
    confirm: dict[str, Any] | None = None
    accessibility_label: str | None = Field(default=None, max_length=75)


class _OtherElement(BaseModel):
    type: Literal[
        "checkboxes", "datepicker", "datetimepicker", "overflow", "radio_buttons", "static_select",
        "external_select", "users_select", "conversations_select", "channels_select", "timepicker",
        "multi_static_select", "multi_users_select", "workflow_button",
    ]  # fmt: skip


class _Section(_Block):
    type: Literal["section"]
    text: _Text | None = None
    fields: list[_SectionField] | None = Field(default=None, min_length=1, max_length=10)
    accessory: Annotated[_Picture | _Button | _OtherElement, Field(discriminator="type")] | None = (
        None
    )
    expand: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> _Section:
        if self.text is None and self.fields is None:
            raise ValueError("missing required field: text")
        return self


class _Header(_Block):
    type: Literal["header"]
    text: _Title


class _Divider(_Block):
    type: Literal["divider"]


class _Context(_Block):
    type: Literal["context"]
    elements: list[Annotated[_Plain | _Mrkdwn | _Picture, Field(discriminator="type")]] = Field(
        min_length=1, max_length=10
    )


class _Actions(_Block):
    type: Literal["actions"]
    elements: list[Annotated[_Button | _OtherElement, Field(discriminator="type")]] = Field(
        min_length=1, max_length=25
    )


class _Image(_Block, _Picture):
    title: _Plain | None = None


class _Markdown(_Block):
    type: Literal["markdown"]
    text: str = Field(min_length=1, max_length=12_000)


class _Other(BaseModel):
    type: Literal["alert", "card", "carousel", "context_actions", "file", "input", "plan",
                  "rich_text", "table", "task_card", "video"]  # fmt: skip


_Known = _Section | _Header | _Divider | _Context | _Actions | _Image | _Markdown | _Other
_BLOCKS: TypeAdapter[list[_Known]] = TypeAdapter(
    Annotated[list[Annotated[_Known, Field(discriminator="type")]], Field(max_length=_MOST_BLOCKS)]
)


def _sentence(found: dict[str, Any]) -> str:
    """In Slack's words, as bug reports quote them."""
    context = found.get("ctx", {})
    match found["type"]:
        case "missing":
            return f"missing required field: {found['loc'][-1]}{_pointer(found['loc'][:-1])}"
        case "extra_forbidden":
            return f"invalid additional property: {found['loc'][-1]}{_pointer(found['loc'][:-1])}"
        case "union_tag_not_found":
            return f"missing required field: type{_pointer(found['loc'])}"
        case "union_tag_invalid":
            return f"unsupported type: {context['tag']}{_pointer((*found['loc'], 'type'))}"
        case "string_too_long":
            sentence = f"must be less than {context['max_length'] + 1} characters"
        case "string_too_short":
            sentence = f"must be more than {context['min_length'] - 1} characters"
        case "too_long":
            sentence = f"no more than {context['max_length']} items allowed"
        case "too_short":
            sentence = f"must have at least {context['min_length']} items"
        case "value_error":
            sentence = str(context["error"])
        case _:
            sentence = f"must be valid: {found['msg'].lower()}"
    return sentence + _pointer(found["loc"])


# What pydantic puts into a place for the member of a union it took; no field is called like them.
_TAGS = {"section", "header", "divider", "context", "actions", "image", "markdown", "plain_text",
         "mrkdwn", "button"}  # fmt: skip


def _pointer(place: tuple[str | int, ...]) -> str:
    path = "/".join(str(step) for step in ("blocks", *place) if step not in _TAGS)
    return f" [json-pointer:/{path}]"
