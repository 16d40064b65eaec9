"""Each external effect gets a name by what is seen of it on the wire, whoever made it, and how.

A script goes by its name in the rooms, a command of the queue by Dramatiq's, a call to Slack by its
method; what nobody here knows keeps its own name, so that nothing new can hide.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal

from dramatiq.brokers import redis as dramatiq_redis

import middleware
import projector
from middleware.script import Script, digest
from tests.system.crashing.framing import ReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import redis

    from tests.system.crashing.framing import Command, Http, Value

Role = Literal["service", "projector", "worker"]
ROLES: tuple[Role, ...] = ("service", "projector", "worker")
# Whose client it is: only the store's asks again by itself when an answer is lost.
Client = Literal["store", "queue", "slack"]

_NUMBER = re.compile(rb"\d+")
_TAG = re.compile(rb"[a-z_]+( [a-z_]+)*")
_METHOD = re.compile(rb"[A-Z]+ \S*?/([\w.]+)[ ?]")
_STATUS = re.compile(rb"HTTP/1.1 (\d+)")
_DISPATCH = "dramatiq.dispatch"
# Where dispatch.lua has its command and its queue: behind EVALSHA, the digest, 1 and one key.
_QUEUE_COMMAND, _QUEUE_NAME = 4, 6


@dataclass(frozen=True, slots=True)
class Effect:
    """`question` is equal where the same is asked again, as by whoever polls."""

    role: Role
    client: Client
    name: str
    question: bytes


def scripts_of_the_rooms() -> dict[str, str]:
    """The name of every script that a module of the middleware or the projector holds, by it."""
    found: dict[str, str] = {}
    for room in (middleware, projector):
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            if module.name.endswith("__main__"):
                continue
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Script):
                    found[value.name] = value.body(
                        clock_is_argument=False, identity_is_argument=False
                    )
    return found


class Namer:
    """Names commands and calls, and what came of them."""

    def __init__(self, server: redis.Redis) -> None:
        """`server` says which of its commands concern the connection only: those do nothing."""
        listed = server.acl_cat("connection")
        self._of_connections = {str(name).partition("|")[0] for name in listed}
        self._scripts = {digest(body): name for name, body in scripts_of_the_rooms().items()}
        for name, body in dramatiq_scripts().items():
            self._scripts[hashlib.sha1(body, usedforsecurity=False).hexdigest()] = name
        self._calls = count()

    def of_command(self, role: Role, command: Command) -> Effect | None:
        """None for what concerns the connection only."""
        words = command.arguments
        name = words[0].decode().lower()
        if name in self._of_connections:
            return None
        if name in {"evalsha", "eval"}:
            name = self._of_script(words, is_body=name == "eval")
        elif len(words) > 1 and b"{queue}" in words[1]:
            name = f"queue.{name}"
        client: Client = "queue" if name.startswith(("queue.", "dramatiq.")) else "store"
        return Effect(
            role, client, name, b" ".join(b"#" if word.isdigit() else word for word in words)
        )

    def of_call(self, role: Role, request: Http) -> Effect:
        """Nobody polls Slack, so each call is a question of its own."""
        method = _METHOD.match(request.head)
        name = method[1].decode() if method else request.head[:40].decode()
        return Effect(role, "slack", name, b"%d" % next(self._calls))

    def _of_script(self, words: tuple[bytes, ...], *, is_body: bool) -> str:
        sha = hashlib.sha1(words[1]).hexdigest() if is_body else words[1].decode()  # noqa: S324 - Redis' own name
        name = self._scripts.get(sha, f"script {sha[:12]}")
        if name != _DISPATCH:
            return name
        queue = words[_QUEUE_NAME].decode()
        return f"queue.{words[_QUEUE_COMMAND].decode()}" + (" DQ" if queue.endswith(".DQ") else "")


def dramatiq_scripts() -> Mapping[str, bytes]:
    """By name; they are those of dramatiq 2.2, brokers/redis.py."""
    scripts: dict[str, bytes] = vars(dramatiq_redis)["_scripts"]
    return {f"dramatiq.{name}": body for name, body in scripts.items()}


def tag_of(value: Value) -> str:
    """What a reply says, in a word: a script's own tag, or whether anything was found."""
    match value:
        case ReplyError():
            return value.text.partition(" ")[0].lower()
        case [bytes() as first, *_] if _TAG.fullmatch(first):
            return first.decode()
        case list() | None:
            return "something" if any(_says_something(value)) else "nothing"
        case _:
            return "done"


def tag_of_answer(answer: Http | None) -> str:
    """What Slack answered, in a word."""
    if answer is None or not answer.is_whole:
        return "cut"
    try:
        data = json.loads(answer.body)
    except ValueError:
        data = None
    status = _STATUS.match(answer.head)
    match data:
        case {"ok": True}:
            return "ok"
        case {"ok": False, "error": str(code)}:
            return code
        case _:
            return status[1].decode() if status else "unreadable"


def without_numbers(value: Value) -> Value:
    """The reply, but for what differs only because time passes. A report of several lines, as
    INFO's, is full of that; and where nothing was found, it says when there may be something.
    """
    match value:
        case list() if not any(_says_something(value)):
            return None
        case list():
            return [without_numbers(each) for each in value]
        case bytes() if value.isdigit() or b"\r\n" in value:
            return _NUMBER.sub(b"#", value)
        case _:
            return value


def _says_something(value: Value) -> Iterator[bool]:
    if isinstance(value, list):
        for each in value:
            yield from _says_something(each)
    else:
        yield isinstance(value, bytes) and value != b"" and not value.isdigit()
