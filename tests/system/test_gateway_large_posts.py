"""Of a POST that is too much for the network to take at once, nothing is written later."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from actors.message_limits import (
    BLOCKS_TEXT_MAX_CHARS,
    MESSAGE_MAX_BYTES,
    TEXT_MAX_CHARS,
    json_as_sent,
    message_refusals,
)
from actors.slack.errors import FateUnknown
from actors.slack.message import SlackMessage
from middleware.post_by import PostBy, boot_clock_s
from tests.system.faulting_server import (
    SELF_SIGNED,
    Connection,
    faulting_server,
    json_bytes,
    narrow_listener,
    self_signed,
)
from tests.system.posting import fate_of, gateway_to
from tests.system.slack_faults import POSTED, RECEIPT, SHORT_MS

if TYPE_CHECKING:
    import socket

    from middleware.fates import PostAnswer

SCHEMES = pytest.mark.parametrize("scheme", ["http", "https"])
# The longest of texts, and what nobody sees of blocks for the rest.
SECTION: dict[str, object] = {
    "type": "section",
    "block_id": "x" * 500,
    "text": {"type": "plain_text", "text": "😀" * 264},
}
BLOCKS = (SECTION,) * (BLOCKS_TEXT_MAX_CHARS // 264)
LONGEST = SlackMessage(text="😀" * TEXT_MAX_CHARS, blocks=BLOCKS, marker="m1")
LONGEST_BYTES = len(json_as_sent([LONGEST.text, BLOCKS]).encode())
assert MESSAGE_MAX_BYTES - 3_000 < LONGEST_BYTES <= MESSAGE_MAX_BYTES
# More than a kernel takes at once, by its default limits; no template makes it.
TOO_LONG = SlackMessage(text="x" * 1_000_000, blocks=None, marker="m1")


@dataclass
class Slack:
    """Accepts what it has read whole."""

    scheme: str
    whole: int = 0

    async def serve(self, connection: Connection) -> None:
        if self.scheme == "https":
            await connection.writer.start_tls(self_signed())
        await connection.read_request()
        self.whole += 1
        await connection.answer(json_bytes(POSTED))


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(SELF_SIGNED))


@SCHEMES
def test_the_longest_message_leaves_at_once(scheme: str) -> None:
    async def scenario() -> PostAnswer | FateUnknown:
        # Given a server that reads nothing while it is written to
        slack = Slack(scheme)
        listener = narrow_listener()
        async with (
            faulting_server(slack.serve, scheme=scheme, listener=listener) as server,
            gateway_to(server.url) as gateway,
        ):
            # When
            return await fate_of(gateway, message=LONGEST)

    # Then
    assert not list(message_refusals(LONGEST.text, LONGEST.blocks))
    assert asyncio.run(scenario()) == RECEIPT


@SCHEMES
def test_who_stands_still_in_the_middle_of_a_post_does_not_finish_it_later(scheme: str) -> None:
    @dataclass(frozen=True)
    class StopsAfterTheWrite(PostBy):
        """As if the process was stopped after the kernel took what it could."""

        def passed(self) -> bool:
            asyncio.get_running_loop().call_soon(self._stand_still)
            return False

        def _stand_still(self) -> None:
            while self.remaining_s() > -1:
                pass

    async def scenario() -> tuple[int, PostAnswer | FateUnknown]:
        # Given
        slack = Slack(scheme)
        listener = narrow_listener()
        async with (
            faulting_server(slack.serve, scheme=scheme, listener=listener) as server,
            gateway_to(server.url) as gateway,
        ):
            # When
            post_by = StopsAfterTheWrite(boot_clock_s() + 0.5)
            fate = await fate_of(gateway, message=TOO_LONG, post_by=post_by)
            await server.all_clients_left()
            return slack.whole, fate

    whole, fate = asyncio.run(scenario())

    # Then
    assert whole == 0, "the POST was finished long after its time"
    assert isinstance(fate, FateUnknown)


@SCHEMES
def test_what_the_kernel_still_holds_of_a_post_that_is_given_up_is_thrown_away(scheme: str) -> None:
    """A server on a thread, since asyncio's reads what nobody asked it to."""

    async def scenario() -> int:
        # Given a server that reads nothing
        server = UnreadingServer(scheme)
        serving = asyncio.create_task(asyncio.to_thread(server.serve))
        async with gateway_to(server.url, deadline_ms=SHORT_MS) as gateway:
            # When the POST is given up, and read then
            fate = await fate_of(gateway, message=LONGEST)
            assert isinstance(fate, FateUnknown)
            # The socket is closed at the loop's next turn.
            await asyncio.sleep(0)
            server.may_read.set()
            await serving
        return server.read

    # Then
    assert asyncio.run(scenario()) < LONGEST_BYTES, "all of it was sent after it was given up"


@dataclass
class UnreadingServer:
    """`read` is how much it got in the end."""

    scheme: str
    listener: socket.socket = field(default_factory=narrow_listener)
    may_read: threading.Event = field(default_factory=threading.Event)
    read: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.listener.getsockname()[1]}/api/"

    def serve(self) -> None:
        with self.listener:
            accepted, _ = self.listener.accept()
        if self.scheme == "https":
            accepted = self_signed().wrap_socket(accepted, server_side=True)
        with accepted:
            accepted.settimeout(5)
            self.may_read.wait()
            try:
                while chunk := accepted.recv(65_536):
                    self.read += len(chunk)
            except ConnectionResetError:
                pass
