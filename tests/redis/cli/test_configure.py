from __future__ import annotations

from typing import TYPE_CHECKING

from actors.commands.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import redis

    from middleware.ledger import Ledger
    from tests.redis.cli.conftest import Ended

ACME = """\
tenants:
  acme:
    workspaces: {main: {team_id: T0123ABCD}}
    channels:
      ops: {workspace: main, id: C0123ABCD}
    templates:
      hi: {text: "Hello {{ name }}"}
"""


def test_tenants_are_applied_one_by_one_and_what_is_the_same_stays(
    cli: Callable[..., Ended], tmp_path: Path
) -> None:
    # Given
    file = tmp_path / "tenants.yaml"
    file.write_text(ACME)
    first = cli("configure", file)
    file.write_text(ACME.replace("Hello", "Hi") + "  zed: {}\n")

    # When
    second = cli("configure", file)
    third = cli("configure", file)

    # Then
    assert (first.code, second.code, third.code) == (ExitCode.DONE,) * 3
    assert first.out == "acme: created, version 1\n"
    assert second.out == "acme: changed, version 2\nzed: created, version 1\n"
    assert third.out == "acme: unchanged, version 2\nzed: unchanged, version 1\n"
    assert first.err == second.err == third.err == ""


def test_each_problem_is_named_by_its_line_and_nothing_is_applied(
    cli: Callable[..., Ended], tmp_path: Path, client: redis.Redis, prefix: str
) -> None:
    # Given
    file = tmp_path / "tenants.yaml"
    file.write_text(
        ACME.replace("workspace: main, id: C0123ABCD", "workspace: nowhere").replace(
            "{{ name }}", "{{ name"
        )
    )

    # When
    ended = cli("configure", file)

    # Then
    assert (ended.code, ended.out) == (ExitCode.REFUSED, "")
    *of_channel, template, total = ended.err.splitlines()
    missing, unknown = sorted(of_channel)
    assert missing == f"{file}:5: tenants.acme.channels.ops.id: is missing"
    assert unknown.startswith(f"{file}:5: tenants.acme.channels.ops.workspace: ")
    assert template.startswith(f"{file}:7: tenants.acme.templates.hi.text: ")
    assert total == "3 problems; nothing was applied"
    assert not list(client.scan_iter(match=f"{prefix}*"))


def test_a_team_of_another_tenant_is_refused_before_anything_is_applied(
    cli: Callable[..., Ended], tmp_path: Path, ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    file = tmp_path / "tenants.yaml"
    file.write_text(ACME)
    cli("configure", file)
    file.write_text(ACME.replace("acme", "zed"))

    # When
    ended = cli("configure", file)

    # Then
    assert (ended.code, ended.out) == (ExitCode.REFUSED, "")
    first, last = ended.err.splitlines()
    assert 'T0123ABCD belongs to the tenant "acme"' in first
    assert "nothing was configured" in last
    assert not client.exists(ledger.keys.config("zed"))
