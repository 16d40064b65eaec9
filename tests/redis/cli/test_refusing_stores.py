"""A server that is there and refuses is not told to be started: what it refuses is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from actors.cli import run
from actors.commands.exit_codes import ExitCode
from sandbox.servers import ValkeyProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import redis

REQUEST = json.dumps(
    {
        "tenant": "acme",
        "message_request_id": "r1",
        "channel_code": "ops",
        "template_code": "hi",
        "variables": {},
    }
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a server of its own is set, who asks it, and what is then told."""

    name: str
    found: str
    remedy: str
    user: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    may: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


REFUSALS = [
    Refusal(
        "wrong password",
        "refuses the user or the password",
        "POSTONCE_REDIS_URL",
        user="ada:wrong@",
    ),
    Refusal(
        "no password",
        "refuses the user or the password",
        "POSTONCE_REDIS_URL",
        config={"requirepass": "secret"},
    ),
    Refusal(
        "foreign keys",
        "does not let its user do this",
        "ACL SETUSER",
        user="ada:secret@",
        may={"keys": ["other:*"], "commands": ["+@all"]},
    ),
    Refusal(
        "no scripts",
        "does not let its user do this",
        "ACL SETUSER",
        user="ada:secret@",
        may={"keys": ["*"], "commands": ["+@all", "-evalsha", "-eval"]},
    ),
    Refusal("out of memory", "is full", "maxmemory", config={"maxmemory": "1mb"}),
]


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyProcess]:
    """Not the session's, which others need as it is."""
    with ValkeyProcess() as own:
        yield own


@pytest.fixture(params=REFUSALS, ids=str)
def refusal(
    request: pytest.FixtureRequest, server: ValkeyProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Refusal]:
    told: Refusal = request.param
    monkeypatch.setenv("POSTONCE_REDIS_URL", server.url.replace("//", f"//{told.user}"))
    with server.client() as client:
        before = {name: client.config_get(name)[name] for name in told.config}
        client.acl_setuser("ada", enabled=True, reset=True, passwords=["+secret"], **told.may)
        _set(client, told.config)
        yield told
        _set(client, before)


def _set(client: redis.Redis, config: Mapping[str, str]) -> None:
    for name, value in config.items():
        client.config_set(name, value)


def test_doctor_says_what_it_refuses_and_what_was_not_checked(
    refusal: Refusal, capsys: pytest.CaptureFixture[str]
) -> None:
    # When
    code = run(["doctor", "--json"])

    # Then
    found = {each["check"]: each for each in map(json.loads, capsys.readouterr().out.splitlines())}
    assert code == ExitCode.UNREACHABLE
    assert found["store"]["found"].startswith(refusal.found)
    assert refusal.remedy in found["store"]["remedy"]
    assert "Start it" not in found["store"]["remedy"]
    assert "workers" in found["not checked"]["found"]


@pytest.mark.parametrize("command", ["stats", "request"])
def test_other_commands_say_it_too_and_may_be_run_again(
    refusal: Refusal, command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # Given
    requests = tmp_path / "requests.jsonl"
    requests.write_text(REQUEST)

    # When
    code = run([command, *([str(requests)] if command == "request" else [])])

    # Then
    (line,) = capsys.readouterr().err.splitlines()
    assert code == ExitCode.UNREACHABLE
    assert line.startswith(f"postonce: the store {refusal.found}")
    assert refusal.remedy in line
    assert line.endswith("running it again is safe")
    assert "secret" not in line
