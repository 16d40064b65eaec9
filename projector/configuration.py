"""A delivery finds its channel, workspace and template by codes, and never half a configuration.

One tenant's configuration is one hash of flat fields, so that a delivery reads the few it needs
in one command, whatever the number of channels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    Strict,
    field_validator,
    model_validator,
)

from middleware.fates import Refused
from projector.codes import Code
from projector.sentences import plain

if TYPE_CHECKING:
    from collections.abc import Mapping


def _slack_id(first: str, example: str) -> AfterValidator:
    def check(text: str) -> str:
        rest = text[1:]
        known = text[:1] in tuple(first) and rest.isascii() and rest.isalnum()
        if not known or rest != rest.upper() or len(text) > _SLACK_ID_MAX_CHARS:
            raise plain(
                f"must be an id of Slack's, such as {example}: one of {' '.join(first)}, "
                "then capital letters and digits"
            )
        return text

    return AfterValidator(check)


_SLACK_ID_MAX_CHARS = 64

TeamId = Annotated[str, Strict(), _slack_id("TE", "T0123ABCD")]
ChannelId = Annotated[str, Strict(), _slack_id("CGDU", "C0123ABCD")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Workspace(_Part):
    team_id: TeamId


class Channel(_Part):
    workspace: Code
    id: ChannelId


class Template(_Part):
    """`text` is what notifications show, and the message itself when there are no `blocks`."""

    text: Annotated[str, Field(min_length=1)]
    # YAML's lists are to become tuples, which strict would refuse.
    blocks: Annotated[tuple[dict[str, JsonValue], ...] | None, Field(strict=False)] = None

    @field_validator("blocks")
    @classmethod
    def _some(cls, blocks: tuple[object, ...] | None) -> tuple[object, ...] | None:
        if blocks == ():
            raise plain("is empty")
        return blocks


class TenantConfiguration(_Part):
    enabled: bool = True
    workspaces: dict[Code, Workspace] = {}
    channels: dict[Code, Channel] = {}
    templates: dict[Code, Template] = {}

    @model_validator(mode="after")
    def _refer_to_known_workspaces(self) -> Self:
        for code, channel in self.channels.items():
            if channel.workspace not in self.workspaces:
                raise plain(unknown_workspace(channel.workspace, channel_code=code))
        return self


def unknown_workspace(workspace_code: str, *, channel_code: str) -> str:
    return f'channel "{channel_code}" names the workspace "{workspace_code}", which is not there'


def configuration_fields(configuration: TenantConfiguration) -> dict[str, str]:
    """The flat fields of the tenant's hash; `version`, and since when each channel's field is what
    it is, are left to who stores them.

    A channel's field repeats its team id, so that a delivery needs no second read.
    """
    fields = {"enabled": "1" if configuration.enabled else "0"}
    for code, workspace in configuration.workspaces.items():
        fields[f"workspace:{code}"] = _compact({"team_id": workspace.team_id})
    for code, channel in configuration.channels.items():
        team_id = configuration.workspaces[channel.workspace].team_id
        fields[f"channel:{code}"] = _compact(channel.model_dump() | {"team_id": team_id})
    for code, template in configuration.templates.items():
        fields[f"template:{code}"] = _compact(template.model_dump(exclude_none=True))
    return fields


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where today's configuration sends a request, and the template that makes its message.

    What was accepted at `since_ms` (the server's clock) or later was never sent elsewhere; None
    where that is not known.
    """

    team_id: str
    channel_id: str
    since_ms: int | None
    template: Template


def fields_to_read(*, channel_code: str, template_code: str) -> tuple[str, ...]:
    """The names of the fields that `resolve` needs, for one HMGET."""
    return (
        "enabled",
        f"channel:{channel_code}",
        f"channel_since:{channel_code}",
        f"template:{template_code}",
    )


def resolve(
    fields: Mapping[str, str | None],
    *,
    channel_code: str,
    template_code: str,
    workspace_code: str | None = None,
) -> Resolved | Refused:
    """`fields` holds what was read of `fields_to_read`, None or nothing for what is not there.

    A disabled tenant's deliveries are refused, not held back: what waited until it is enabled again
    would come all at once, long after its occasion.
    """
    enabled = fields.get("enabled")
    channel_json = fields.get(f"channel:{channel_code}")
    template_json = fields.get(f"template:{template_code}")
    if enabled is None:
        return Refused("tenant_unknown", "The tenant has no configuration.")
    if enabled != "1":
        return Refused("tenant_disabled", "The tenant is disabled in its configuration.")
    if channel_json is None:
        return Refused("channel_unknown", f'The tenant has no channel "{channel_code}".')
    if template_json is None:
        return Refused("template_unknown", f'The tenant has no template "{template_code}".')
    channel = json.loads(channel_json)
    if workspace_code is not None and workspace_code != channel["workspace"]:
        sentence = f'Channel "{channel_code}" is not in the workspace "{workspace_code}".'
        return Refused("workspace_mismatch", sentence)
    since = fields.get(f"channel_since:{channel_code}")
    return Resolved(
        team_id=channel["team_id"],
        channel_id=channel["id"],
        since_ms=None if since is None else int(since),
        template=_template(template_json),
    )


# Parsed once for as long as its text stays the same: a template is read with every delivery.
@lru_cache(maxsize=1024)
def _template(template_json: str) -> Template:
    return Template.model_validate_json(template_json)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
