from __future__ import annotations

import pytest
from pydantic import ValidationError

from middleware.fates import Refused
from projector.configuration import (
    Resolved,
    TenantConfiguration,
    configuration_fields,
    fields_to_read,
    resolve,
)


def configuration(*, enabled: bool = True) -> TenantConfiguration:
    return TenantConfiguration.model_validate(
        {
            "enabled": enabled,
            "workspaces": {"main": {"team_id": "T0000000A"}},
            "channels": {"ops:eu": {"workspace": "main", "id": "C0000000A"}},
            "templates": {
                "hi": {"text": "ä {{ x }}"},
                "yo": {"text": "t", "blocks": [{"type": "divider"}]},
            },
        }
    )


def test_a_tenant_becomes_one_flat_field_for_each_part() -> None:
    # When
    fields = configuration_fields(configuration())

    # Then
    assert fields == {
        "enabled": "1",
        "workspace:main": '{"team_id":"T0000000A"}',
        "channel:ops:eu": '{"id":"C0000000A","team_id":"T0000000A","workspace":"main"}',
        "template:hi": '{"text":"ä {{ x }}"}',
        "template:yo": '{"blocks":[{"type":"divider"}],"text":"t"}',
    }


def test_a_delivery_finds_its_target_and_template_in_the_fields_it_reads() -> None:
    # Given
    fields = {**configuration_fields(configuration()), "channel_since:ops:eu": "1700000000000"}
    names = fields_to_read(channel_code="ops:eu", template_code="yo")

    # When
    resolved = resolve(
        {name: fields.get(name) for name in names},
        channel_code="ops:eu",
        template_code="yo",
        workspace_code="main",
    )

    # Then
    template = configuration().templates["yo"]
    assert resolved == Resolved("T0000000A", "C0000000A", 1_700_000_000_000, template)


@pytest.mark.parametrize(
    ("channel_code", "template_code", "workspace_code", "code"),
    [
        ("nowhere", "hi", None, "channel_unknown"),
        ("ops:eu", "nothing", None, "template_unknown"),
        ("ops:eu", "hi", "other", "workspace_mismatch"),
    ],
)
def test_an_unknown_code_is_refused_by_name(
    channel_code: str, template_code: str, workspace_code: str | None, code: str
) -> None:
    # When
    answer = resolve(
        configuration_fields(configuration()),
        channel_code=channel_code,
        template_code=template_code,
        workspace_code=workspace_code,
    )

    # Then
    assert isinstance(answer, Refused)
    assert answer.code == code


def test_a_tenant_without_configuration_is_refused() -> None:
    # When
    answer = resolve({"enabled": None}, channel_code="ops", template_code="hi")

    # Then
    assert isinstance(answer, Refused)
    assert answer.code == "tenant_unknown"


def test_the_deliveries_of_a_disabled_tenant_are_refused() -> None:
    # Given
    fields = configuration_fields(configuration(enabled=False))

    # When
    answer = resolve(fields, channel_code="ops:eu", template_code="hi")

    # Then
    assert answer == Refused("tenant_disabled", "The tenant is disabled in its configuration.")


def test_a_channel_in_no_known_workspace_makes_no_configuration() -> None:
    # Given
    raw = {"channels": {"ops": {"workspace": "main", "id": "C1"}}}

    # When / Then
    with pytest.raises(ValidationError, match='names the workspace "main", which is not there'):
        TenantConfiguration.model_validate(raw)


@pytest.mark.parametrize("team_id", ["", "T", "C1", "T1a", "T 1", "T1\n", "T" + "1" * 64, "TÄ"])
def test_what_is_no_team_id_of_slacks_is_refused(team_id: str) -> None:
    # Given
    raw = {"workspaces": {"main": {"team_id": team_id}}}

    # When / Then
    with pytest.raises(ValidationError, match="must be an id of Slack's"):
        TenantConfiguration.model_validate(raw)


@pytest.mark.parametrize("channel_id", ["C1", "G0A", "D0A", "U0A"])
def test_channels_groups_and_people_can_be_written_to(channel_id: str) -> None:
    # Given
    raw = {
        "workspaces": {"main": {"team_id": "E1"}},
        "channels": {"ops": {"workspace": "main", "id": channel_id}},
    }

    # When
    read = TenantConfiguration.model_validate(raw)

    # Then
    assert read.channels["ops"].id == channel_id
