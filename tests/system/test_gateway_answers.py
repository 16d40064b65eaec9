from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from actors.slack.auth import AuthRefused, AuthTested
from middleware.fates import NotNow
from tests.system.faulting_server import Fault, faulting_server
from tests.system.posting import MESSAGE, TARGET, fate_of, gateway_to
from tests.system.slack_faults import (
    GENEROUS_MS,
    POSTED,
    RECEIPT,
    SHORT_MS,
    TOKEN,
    answering,
    never_answer,
)

if TYPE_CHECKING:
    from actors.slack.errors import FateUnknown
    from middleware.fates import PostAnswer


def test_a_post_is_json_with_the_token_in_its_header_only() -> None:
    async def scenario() -> bytes:
        # Given
        async with (
            faulting_server(answering(POSTED)) as server,
            gateway_to(server.url) as gateway,
        ):
            # When
            assert await fate_of(gateway) == RECEIPT
            return server.received

    head, _, body = asyncio.run(scenario()).partition(b"\r\n\r\n")

    # Then
    assert json.loads(body) == MESSAGE.arguments(TARGET)
    assert f"Authorization: Bearer {TOKEN}\r\n".encode() in head
    assert TOKEN.encode() not in body
    names = {line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    assert names.isdisjoint({b"cookie", b"traceparent", b"baggage"})


def test_a_refused_token_is_looked_up_again_by_the_next_post() -> None:
    environ = {"SLACK_BOT_TOKEN": "xoxb-old"}

    async def scenario() -> bytes:
        # Given a token that Slack refuses
        async with (
            faulting_server(answering({"ok": False, "error": "token_expired"})) as server,
            gateway_to(server.url, environ=environ) as gateway,
        ):
            await fate_of(gateway)

            # When it was refreshed meanwhile
            environ["SLACK_BOT_TOKEN"] = "xoxb-new"
            await fate_of(gateway)
            return server.received

    received = asyncio.run(scenario())

    # Then
    assert (received.count(b"Bearer xoxb-old"), received.count(b"Bearer xoxb-new")) == (1, 1)


def test_a_workspace_refusal_is_logged_with_team_code_and_the_scope_needed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = {"ok": False, "error": "missing_scope", "needed": "chat:write"}

    async def scenario() -> PostAnswer | FateUnknown:
        # Given
        async with (
            faulting_server(answering(refusal)) as server,
            gateway_to(server.url) as gateway,
        ):
            # When
            return await fate_of(gateway)

    # Then
    assert asyncio.run(scenario()) == NotNow("missing_scope", 60_000)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert all(part in caplog.text for part in ("team=T1", "code=missing_scope", "chat:write"))


def test_without_an_installation_nothing_is_posted(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> tuple[PostAnswer | FateUnknown, int]:
        # Given
        async with (
            faulting_server(answering(POSTED)) as server,
            gateway_to(server.url, environ={}) as gateway,
        ):
            # When
            return await fate_of(gateway), len(server.connections)

    # Then
    assert asyncio.run(scenario()) == (NotNow("installation_missing", 60_000), 0)
    assert "team=T1 code=installation_missing" in caplog.text


async def auth_test(fault: Fault) -> AuthTested | AuthRefused:
    async with (
        faulting_server(fault) as server,
        gateway_to(
            server.url, deadline_ms=SHORT_MS if fault is never_answer else GENEROUS_MS
        ) as gateway,
    ):
        return await gateway.auth_test("T1")


def test_auth_test_tells_team_bot_and_scopes() -> None:
    # Given
    answer = {"ok": True, "team_id": "T1", "team": "Acme", "bot_id": "B1"}
    headers = {"x-oauth-scopes": "chat:write, channels:history"}

    # When
    tested = asyncio.run(auth_test(answering(answer, headers=headers)))

    # Then
    assert tested == AuthTested("T1", "Acme", "B1", ("chat:write", "channels:history"))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(answering({"ok": False, "error": "invalid_auth"}), "invalid_auth", id="code"),
        pytest.param(answering({"ok": True}), "status_200", id="not_understood"),
        pytest.param(answering(b"", status=502), "status_502", id="gateway"),
        pytest.param(never_answer, "TimeoutError", id="no_answer"),
    ],
)
def test_auth_test_says_why_it_did_not_work(fault: Fault, code: str) -> None:
    # When
    refused = asyncio.run(auth_test(fault))

    # Then
    assert isinstance(refused, AuthRefused)
    assert refused.code == code


def test_auth_test_of_a_team_without_installation_says_so() -> None:
    async def scenario() -> AuthTested | AuthRefused:
        async with gateway_to("http://127.0.0.1:1/api/", environ={}) as gateway:
            return await gateway.auth_test("T1")

    # When
    refused = asyncio.run(scenario())

    # Then
    assert refused == AuthRefused("installation_missing", "no bot token is known for team T1")
