"""What the README has a newcomer run first, and what doctor says of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from actors.commands.exit_codes import ExitCode
from actors.tenants_file import read_tenants_file
from sandbox.slack import SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.redis.cli.conftest import Ended

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_every_team_of_the_examples_has_a_token_of_its_own(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    tenants = read_tenants_file((EXAMPLES / "tenants.yaml").read_text(encoding="utf-8"))
    workspaces = [each for tenant in tenants.values() for each in tenant.workspaces.values()]
    monkeypatch.setenv("POSTONCE_INSTALLATIONS", f"file://{EXAMPLES / 'installations'}")
    with SlackSandbox() as slack:
        monkeypatch.setenv("POSTONCE_SLACK_URL", slack.url)
        cli("configure", EXAMPLES / "tenants.yaml")

        # When
        ended = cli("doctor", "--json")

    # Then
    severities = {each["check"]: each["severity"] for each in ended.objects}
    assert ended.code == ExitCode.DONE
    assert {severities[f"slack {each.team_id}"] for each in workspaces} == {"good"}
    assert {severities[f"history {each.team_id}"] for each in workspaces} == {"good"}
