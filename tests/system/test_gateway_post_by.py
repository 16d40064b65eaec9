from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from actors.slack.errors import FateUnknown
from middleware.fates import NotNow
from middleware.post_by import PostBy, boot_clock_s
from tests.system.faulting_server import SELF_SIGNED, Connection, Fault, faulting_server
from tests.system.posting import fate_of, gateway_to
from tests.system.slack_faults import POSTED, RECEIPT, SHORT_MS, answering, never_answer, start_tls

if TYPE_CHECKING:
    from middleware.fates import PostAnswer


@dataclass(frozen=True)
class PassedInBetween(PostBy):
    """A pause that no timer saw: there was time left, and at the last look there is none."""

    def passed(self) -> bool:
        return True


@dataclass(frozen=True)
class StoppedInBetween(PostBy):
    """As if the whole process was stopped after the last look, and goes on long after post_by."""

    def passed(self) -> bool:
        while self.remaining_s() > -1:
            pass
        return False


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(SELF_SIGNED))


@pytest.mark.parametrize(
    ("scheme", "fault"),
    [pytest.param("http", never_answer, id="tcp"), pytest.param("https", start_tls, id="tls")],
)
def test_not_one_byte_is_written_if_post_by_passed_while_connecting(
    scheme: str, fault: Fault
) -> None:
    async def scenario() -> None:
        # Given a server that can be connected to
        async with (
            faulting_server(fault, scheme=scheme) as server,
            gateway_to(server.url) as gateway,
        ):
            # When the connection stands only after post_by
            fate = await fate_of(gateway, post_by=PassedInBetween(boot_clock_s() + 60))

            # Then nothing was sent, and the connection is not left open either
            assert fate == NotNow("post_by_passed")
            await server.all_clients_left()
            assert (len(server.connections), server.received) == (1, b"")

    asyncio.run(scenario())


def test_a_handshake_that_outlasts_post_by_sends_nothing() -> None:
    async def scenario() -> None:
        post_by = PostBy(boot_clock_s() + 0.1)

        async def handshake_too_late(connection: Connection) -> None:
            # What arrives here is the client's side of the handshake only.
            await connection.read_to_end()

        # Given
        async with (
            faulting_server(handshake_too_late, scheme="https") as server,
            gateway_to(server.url) as gateway,
        ):
            # When
            fate = await fate_of(gateway, post_by=post_by)

            # Then
            assert fate == NotNow("post_by_passed")
            assert server.posts == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(PostBy(0), id="long_past"),
        pytest.param(PassedInBetween(boot_clock_s() + 3600), id="passed_in_between"),
    ],
)
def test_not_one_byte_is_written_on_a_reused_connection_after_post_by(late: PostBy) -> None:
    async def scenario() -> None:
        async with (
            faulting_server(answering(POSTED)) as server,
            gateway_to(server.url) as gateway,
        ):
            # Given a pooled connection
            assert await fate_of(gateway) == RECEIPT
            before = server.received

            # When its holder was paused past post_by
            fate = await fate_of(gateway, post_by=late)

            # Then
            assert fate == NotNow("post_by_passed")
            await server.all_clients_left()
            assert (len(server.connections), server.received) == (1, before)

    asyncio.run(scenario())


def test_a_post_ends_at_post_by_even_if_its_own_deadline_is_later() -> None:
    async def scenario() -> tuple[PostAnswer | FateUnknown, float]:
        # Given
        async with (
            faulting_server(never_answer) as server,
            gateway_to(server.url) as gateway,
        ):
            post_by = PostBy(boot_clock_s() + 0.2)
            # When
            fate = await fate_of(gateway, post_by=post_by)
            return fate, post_by.remaining_s()

    fate, remaining_s = asyncio.run(scenario())

    # Then
    assert isinstance(fate, FateUnknown)
    assert -5 < remaining_s <= 0


def test_nothing_runs_between_the_last_look_at_post_by_and_the_first_byte() -> None:
    async def scenario() -> list[bytes]:
        first_bytes: list[bytes] = []

        @dataclass(frozen=True)
        class Watched(PostBy):
            def passed(self) -> bool:
                # Runs as soon as anything else can: by then the bytes must be on the wire.
                asyncio.get_running_loop().call_soon(look)
                return False

        def look() -> None:
            connected, _ = listener.accept()
            with connected, contextlib.suppress(BlockingIOError):
                connected.settimeout(0)
                first_bytes.append(connected.recv(5))

        # Given a server that is read at that moment only
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/"
            async with gateway_to(url, deadline_ms=SHORT_MS) as gateway:
                # When
                await fate_of(gateway, post_by=Watched(boot_clock_s() + 60))
        return first_bytes

    # Then
    assert asyncio.run(scenario()) == [b"POST "]


def test_the_answer_to_what_was_written_after_a_standstill_is_waited_for() -> None:
    async def scenario() -> PostAnswer | FateUnknown:
        # Given
        async with (
            faulting_server(answering(POSTED)) as server,
            gateway_to(server.url) as gateway,
        ):
            # When
            fate = await fate_of(gateway, post_by=StoppedInBetween(boot_clock_s() + 0.2))
            assert server.posts == 1
            return fate

    # Then
    assert asyncio.run(scenario()) == RECEIPT


def test_after_a_standstill_an_answer_is_not_waited_for_without_end() -> None:
    async def scenario() -> PostAnswer | FateUnknown:
        # Given
        async with (
            faulting_server(never_answer) as server,
            gateway_to(server.url) as gateway,
        ):
            # When
            return await fate_of(gateway, post_by=StoppedInBetween(boot_clock_s() + 0.2))

    # Then
    assert isinstance(asyncio.run(scenario()), FateUnknown)
