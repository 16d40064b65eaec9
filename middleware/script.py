"""A script is a value: source, keys, arguments and how to read its reply; a store runs it.

Time, and which server it is, come from functions put in front of every script: the server's own
answers in production, arguments in tests. No client's clock reaches a script.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

Reply = list[str]

_SERVER_CLOCK = """
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
"""
_ARGUMENT_CLOCK = """
local function now_ms() return tonumber(ARGV[#ARGV]) end
"""
_SERVER_IDENTITY = """
-- Another one after each restart and each promotion.
local function replication_id()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

-- The process, its replication id, and the one it followed before its promotion: zeros for none.
local function server_identity()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), replication_id(),
    string.match(redis.call('INFO', 'replication'), 'master_replid2:(%x+)')
end
"""
_ARGUMENT_IDENTITY = """
local function server_identity()
  return string.match(ARGV[#ARGV - 1], '^(%x+) (%x+) (%x+)$')
end

local function replication_id()
  local _, id = server_identity()
  return id
end
"""


@dataclass(frozen=True, slots=True)
class Script:
    """One transition, as Lua source without what tells it the time and the server."""

    name: str
    source: str

    @classmethod
    def load(cls, package: str, name: str, *, prelude: str | None = None) -> Script:
        """Read `name`.lua (and a prelude in front of it) from a package's `scripts` folder."""
        folder = files(package) / "scripts"
        parts = [part for part in (prelude, name) if part is not None]
        source = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)
        return cls(name, source)

    @lru_cache(maxsize=256)  # noqa: B019 - scripts are few, and live as long as the process
    def body(self, *, clock_is_argument: bool, identity_is_argument: bool) -> str:
        """The last argument is the time, if it is one, and the one before it the identity."""
        clock = _ARGUMENT_CLOCK if clock_is_argument else _SERVER_CLOCK
        identity = _ARGUMENT_IDENTITY if identity_is_argument else _SERVER_IDENTITY
        return clock + identity + self.source


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """`script` with these keys (all in one slot) and arguments; `decode` turns its reply to T.

    The reply counts only when as many `replicas` have what the script wrote.
    """

    script: Script
    keys: Sequence[str]
    arguments: Sequence[str | int]
    decode: Callable[[Reply], T]
    replicas: int = 0


@lru_cache(maxsize=256)
def digest(body: str) -> str:
    """The name under which the server keeps a script it has seen."""
    return sha1(body.encode(), usedforsecurity=False).hexdigest()
