"""HTTP/1.1 does not say what an answer answers: one that nobody waits for is taken for nothing.

aiohttp by itself would take it; whatever version of it is installed, these must hold.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from actors.slack.sought import Place
from middleware.fates import Absent, Found, NotNow, Refused
from middleware.post_by import PostBy, boot_clock_s
from tests.system.faulting_server import (
    SELF_SIGNED,
    Connection,
    FaultingServer,
    faulting_server,
    json_bytes,
    self_signed,
)
from tests.system.looking import CHANNEL, MARKER, Clock, looking_at, sought
from tests.system.posting import fate_of, gateway_to
from tests.system.slack_faults import POSTED, RECEIPT, answering

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from actors.slack.errors import FateUnknown
    from middleware.fates import LookAnswer, PostAnswer

NOT_POSTED = {"ok": False, "error": "channel_not_found"}
STRAY = json_bytes(POSTED | {"ts": "1700000000.000999"})
# Far more than the client needs to hear it; waited for only where it does not hang up.
HEARD_WITHIN_S = 0.3


class Stray:
    """An answer that is given once more, when the connection has been at rest for a while."""

    def __init__(self) -> None:
        self._due = asyncio.Event()
        self._heard = asyncio.Event()

    async def comes(self) -> None:
        """For the client's side: call it at rest, and it has been heard."""
        self._due.set()
        await self._heard.wait()

    async def say(self, answer: Awaitable[None], connection: Connection) -> None:
        await self._due.wait()
        await answer
        try:
            await connection.client_left_within(HEARD_WITHIN_S)
        finally:
            self._heard.set()


@dataclass
class Slack:
    """Accepts the first POST, as it says twice, and refuses the others."""

    stray: Stray
    requests: int = 0

    async def serve(self, connection: Connection) -> None:
        while True:
            await connection.read_request()
            self.requests += 1
            if self.requests > 1:
                await connection.answer(json_bytes(NOT_POSTED))
                continue
            await connection.answer(json_bytes(POSTED))
            await self.stray.say(connection.answer(STRAY), connection)

    async def serve_tls(self, connection: Connection) -> None:
        await connection.writer.start_tls(self_signed())
        await self.serve(connection)


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(SELF_SIGNED))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_answer_that_comes_unasked_does_not_say_what_became_of_the_next_post(
    scheme: str,
) -> None:
    async def scenario() -> tuple[PostAnswer | FateUnknown, int]:
        slack = Slack(Stray())
        serve = slack.serve_tls if scheme == "https" else slack.serve
        async with (
            faulting_server(serve, scheme=scheme) as server,
            gateway_to(server.url) as gateway,
        ):
            # Given a connection on which one POST was answered twice
            assert await fate_of(gateway) == RECEIPT
            await slack.stray.comes()

            # When
            return await fate_of(gateway), slack.requests

    fate, requests = asyncio.run(scenario())

    # Then
    assert isinstance(fate, Refused), f"another's answer was taken: {fate}"
    assert requests == 2


def test_an_answer_that_comes_unasked_proves_no_absence() -> None:
    metadata = {"event_type": "postonce", "event_payload": {"delivery": MARKER}}
    posted = {"ts": "1700000000.000100", "bot_id": "B1", "text": "hi", "metadata": metadata}
    nothing = json_bytes({"ok": True, "messages": [], "has_more": False})

    async def serve(stray: Stray, connection: Connection) -> None:
        answer = partial(connection.answer, headers={"Date": "Tue, 14 Nov 2023 22:13:20 GMT"})
        while True:
            before = len(connection.received)
            await connection.read_request()
            asked = bytes(connection.received[before:])
            if b"/auth.test" in asked:
                await answer(json_bytes({"ok": True, "bot_id": "B1"}))
            elif b"channel=C2" in asked:
                await answer(nothing)
                await stray.say(answer(nothing), connection)
            else:
                await answer(json_bytes({"ok": True, "messages": [posted], "has_more": False}))

    async def scenario() -> tuple[LookAnswer, LookAnswer]:
        clock, stray = Clock(), Stray()
        async with (
            faulting_server(partial(serve, stray)) as server,
            looking_at(server.url, clock) as gateway,
        ):
            # Given that another channel's history was answered twice
            other = await gateway.look(sought(clock, Place("T1", "C2")), within_s=20)
            await stray.comes()

            # When
            return other, await gateway.look(sought(clock, CHANNEL), within_s=20)

    other, found = asyncio.run(scenario())

    # Then
    assert isinstance(other, Absent)
    assert isinstance(found, Found), f"another's answer was taken: {found}"


def test_nothing_is_written_while_an_answer_to_nothing_lies_unread() -> None:
    @dataclass(frozen=True)
    class ComesJustBefore(PostBy):
        server: FaultingServer

        def remaining_s(self) -> float:
            # The last that is asked before the connection is taken; the loop reads nothing between
            # this and the first byte.
            self.server.connections[0].writer.write(stray)
            return super().remaining_s()

    stray = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    stray += f"Content-Length: {len(STRAY)}\r\n\r\n".encode() + STRAY

    async def scenario() -> tuple[PostAnswer | FateUnknown, int]:
        async with (
            faulting_server(answering(POSTED)) as server,
            gateway_to(server.url) as gateway,
        ):
            # Given a pooled connection
            assert await fate_of(gateway) == RECEIPT

            # When
            post_by = ComesJustBefore(boot_clock_s() + 60, server)
            fate = await fate_of(gateway, post_by=post_by)
            await server.all_clients_left()
            return fate, server.posts

    # Then
    assert asyncio.run(scenario()) == (NotNow("connection_stale"), 1)
