"""A script is a value: source, keys, arguments and how to read its reply; a store runs it.

Time comes from one function put in front of every script: the server's clock in production, an
argument in tests. No client's clock reaches a script.
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
local function now_ms()
  return tonumber(ARGV[#ARGV])
end
"""


@dataclass(frozen=True, slots=True)
class Script:
    """One transition, as Lua source without its clock."""

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
    def body(self, *, clock_is_argument: bool) -> str:
        return (_ARGUMENT_CLOCK if clock_is_argument else _SERVER_CLOCK) + self.source


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """`script` with these keys (all in one slot) and arguments; `decode` turns its reply to T."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[str | int]
    decode: Callable[[Reply], T]


@lru_cache(maxsize=256)
def digest(body: str) -> str:
    """The name under which the server keeps a script it has seen."""
    return sha1(body.encode(), usedforsecurity=False).hexdigest()
