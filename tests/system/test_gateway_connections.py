from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from actors.slack.errors import FateUnknown
from actors.slack.session import SlackSession
from actors.slack.wire import Wire
from middleware.fates import NotNow
from middleware.post_by import PostBy, boot_clock_s
from tests.system.faulting_server import Connection, faulting_server, json_bytes
from tests.system.posting import fate_of, gateway_to
from tests.system.slack_faults import POSTED, RECEIPT, answering

if TYPE_CHECKING:
    from actors.slack.gateway import SlackGateway
    from middleware.fates import PostAnswer

accept = answering(POSTED)


async def close_when_idle(connection: Connection) -> None:
    await connection.read_request()
    await connection.answer(json_bytes(POSTED))


async def close_at_second_request(connection: Connection) -> None:
    await close_when_idle(connection)
    await connection.read_request()


def test_posts_share_a_connection() -> None:
    async def scenario() -> tuple[int, int]:
        # Given
        async with faulting_server(accept) as server, gateway_to(server.url) as gateway:
            # When
            for _ in range(3):
                assert await fate_of(gateway) == RECEIPT
            return server.posts, len(server.connections)

    # Then
    assert asyncio.run(scenario()) == (3, 1)


def test_a_connection_that_was_idle_for_too_long_is_not_used_again() -> None:
    async def scenario() -> int:
        async with faulting_server(accept) as server:
            # Given a session for which any idle time is too long
            session = SlackSession(base_url=server.url, post_deadline_ms=1000, reuse_within_s=0.0)
            # When
            for _ in range(2):
                with Wire(PostBy(boot_clock_s() + 60)).in_use():
                    await session.client().api_call("auth.test", json={})
            await session.close()
            return len(server.connections)

    # Then
    assert asyncio.run(scenario()) == 2


def test_a_connection_closed_while_idle_is_replaced_and_the_post_sent_once() -> None:
    async def scenario() -> None:
        async with faulting_server(close_when_idle) as server, gateway_to(server.url) as gateway:
            # Given a pooled connection that the server has closed
            assert await fate_of(gateway) == RECEIPT
            await server.all_clients_left()

            # When
            fate = await fate_of(gateway)

            # Then
            assert fate == RECEIPT
            assert (server.posts, len(server.connections)) == (2, 2)

    asyncio.run(scenario())


def test_a_connection_closed_on_reading_the_second_post_leaves_its_fate_unknown() -> None:
    async def scenario() -> None:
        async with (
            faulting_server(close_at_second_request) as server,
            gateway_to(server.url) as gateway,
        ):
            # Given a pooled connection
            assert await fate_of(gateway) == RECEIPT

            # When the server reads another POST from it and hangs up
            fate = await fate_of(gateway)

            # Then it is not replayed
            assert isinstance(fate, FateUnknown)
            assert server.posts == 2

    asyncio.run(scenario())


def test_a_closed_gateway_opens_again_on_another_loop() -> None:
    async def post_and_close(gateway: SlackGateway) -> PostAnswer | FateUnknown:
        fate = await fate_of(gateway)
        await gateway.close()
        return fate

    async def scenario() -> list[PostAnswer | FateUnknown]:
        # Given
        async with faulting_server(accept) as server, gateway_to(server.url) as gateway:
            # When it is used and closed on this loop, then on another thread's
            here = await post_and_close(gateway)
            there = await asyncio.to_thread(lambda: asyncio.run(post_and_close(gateway)))
            return [here, there]

    # Then
    assert asyncio.run(scenario()) == [RECEIPT, RECEIPT]


def test_a_second_loop_at_the_same_time_is_an_error() -> None:
    async def scenario() -> int:
        async with faulting_server(accept) as server, gateway_to(server.url) as gateway:
            # Given a gateway in use on this loop
            await fate_of(gateway)

            # When another thread's loop uses it
            elsewhere = asyncio.to_thread(lambda: asyncio.run(fate_of(gateway)))

            # Then
            with pytest.raises(RuntimeError, match="one event loop at a time"):
                await elsewhere
            return server.posts

    assert asyncio.run(scenario()) == 1


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> list[str]:
        # Given
        async with faulting_server(accept) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/api/"))
            # When
            async with gateway_to("http://postonce.invalid/api/") as gateway:
                assert await fate_of(gateway) == RECEIPT
            return proxy.requests

    # Then
    assert asyncio.run(scenario()) == ["POST http://postonce.invalid/api/chat.postMessage"]


@pytest.mark.parametrize(
    ("host", "no_proxy"),
    [
        pytest.param("postonce.invalid", "postonce.invalid", id="named_in_no_proxy"),
        pytest.param("localhost", "", id="localhost"),
        pytest.param("127.0.0.1", "", id="loopback"),
    ],
)
def test_the_proxy_is_passed_by(host: str, no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> int:
        # Given
        async with faulting_server(accept) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/api/"))
            monkeypatch.setenv("NO_PROXY", no_proxy)
            # When
            async with gateway_to(f"http://{host}:1/api/") as gateway:
                await fate_of(gateway)
            return len(proxy.connections)

    # Then
    assert asyncio.run(scenario()) == 0


def test_a_proxy_that_refuses_the_tunnel_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> tuple[PostAnswer | FateUnknown, int]:
        # Given
        async with faulting_server(answering(b"", status=407)) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url.removesuffix("/api/"))
            # When
            async with gateway_to("https://postonce.invalid/api/") as gateway:
                return await fate_of(gateway), proxy.posts

    # Then
    assert asyncio.run(scenario()) == (NotNow("proxy_refused"), 0)
