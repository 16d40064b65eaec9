"""Every external effect of a process goes through a door, which the process takes for the server.

A process knows no other address, so nothing that it does has to be wrapped, nor can be forgotten.
What comes through a door is answered one by one, pipelines too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from sandbox.servers import HOST
from tests.system.crashing.effects import tag_of, tag_of_answer
from tests.system.crashing.framing import (
    LONGEST_LINE,
    ReplyError,
    read_command,
    read_http,
    read_reply,
)
from tests.system.crashing.points import Arrival

if TYPE_CHECKING:
    from typing import Self

    from tests.system.crashing.effects import Namer, Role
    from tests.system.crashing.points import Watch


class Door:
    """In front of `server_port`, for the processes of one role, one after the other."""

    def __init__(self, role: Role, *, server_port: int, namer: Namer, watch: Watch) -> None:
        self.port = 0
        self.server_port = server_port
        self.role = role
        self.namer = namer
        self.watch = watch
        # What was let through to the store, by command and by the port that the server knows.
        self.passed: Counter[tuple[int, str]] = Counter()
        # What came from a process that was killed since goes nowhere.
        self.killed = 0
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()

    async def open(self) -> Self:
        self._listener = await asyncio.start_server(self._enters, HOST, 0, limit=LONGEST_LINE)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for each in self._open:
            each.transport.abort()
        await asyncio.gather(*self._tasks)

    async def _enters(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            inner, outer = await asyncio.open_connection(HOST, self.server_port, limit=LONGEST_LINE)
        except OSError:
            writer.transport.abort()
            self._tasks.discard(task)
            return
        self._open |= {writer, outer}
        try:
            await self._forward(Client(reader, writer, self), inner, outer)
        except (asyncio.IncompleteReadError, OSError):
            # Whichever side has gone, the other one learns it.
            pass
        finally:
            writer.transport.abort()
            outer.transport.abort()
            self._open -= {writer, outer}
            self._tasks.discard(task)

    async def _forward(
        self, client: Client, inner: asyncio.StreamReader, outer: asyncio.StreamWriter
    ) -> None:
        raise NotImplementedError


class Client:
    """One connection of a process, which ends for us the moment that the process is killed."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, door: Door
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._door = door
        self._killed_before = door.killed

    def is_dead(self) -> bool:
        return self._door.killed != self._killed_before


class StoreDoor(Door):
    """In front of the store, which is the queue's server too."""

    async def _forward(
        self, client: Client, inner: asyncio.StreamReader, outer: asyncio.StreamWriter
    ) -> None:
        port = outer.get_extra_info("sockname")[1]
        while (command := await read_command(client.reader)) is not None:
            if client.is_dead():
                return
            effect = self.namer.of_command(self.role, command)
            arrival = Arrival(None) if effect is None else self.watch.arrives(effect)
            if client.is_dead() or not arrival.is_let_through:
                return
            self.passed[port, command.arguments[0].decode().lower()] += 1
            outer.write(command.raw)
            reply = await read_reply(inner)
            # A script that the server does not know yet is sent again, whole.
            is_done = effect is not None and not _is_unknown_script(reply.value)
            if effect is not None and is_done and not client.is_dead():
                is_heard = self.watch.was_answered(
                    effect, arrival, value=reply.value, outcome=tag_of(reply.value)
                )
                if client.is_dead() or not is_heard:
                    return
            client.writer.write(reply.raw)


class SlackDoor(Door):
    """In front of the stand-in; what comes may be held up."""

    def __init__(self, role: Role, *, server_port: int, namer: Namer, watch: Watch) -> None:
        super().__init__(role, server_port=server_port, namer=namer, watch=watch)
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def hold_up(self) -> None:
        self._flowing.clear()

    async def let_on(self) -> None:
        self._flowing.set()

    async def _forward(
        self, client: Client, inner: asyncio.StreamReader, outer: asyncio.StreamWriter
    ) -> None:
        while (request := await read_http(client.reader)) is not None:
            if client.is_dead():
                return
            effect = self.namer.of_call(self.role, request)
            arrival = self.watch.arrives(effect)
            if not arrival.is_let_through:
                return
            await self._flowing.wait()
            # Whoever waited no longer has closed its side.
            if client.is_dead() or client.reader.at_eof():
                return
            outer.write(request.raw)
            answer = await read_http(inner)
            if client.is_dead():
                return
            value = None if answer is None else answer.raw
            is_heard = self.watch.was_answered(
                effect, arrival, value=value, outcome=tag_of_answer(answer)
            )
            if client.is_dead() or not is_heard or answer is None:
                return
            client.writer.write(answer.raw)
            if not answer.is_whole:
                await client.writer.drain()
                return


def _is_unknown_script(value: object) -> bool:
    return isinstance(value, ReplyError) and value.text.startswith("NOSCRIPT")
