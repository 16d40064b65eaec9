"""The ledger's own scripts, as they are, on an embedded Lua: from one state to another.

A run is a function of the store's contents, the call and the time, so each is made only once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lupa import lua51

from tests.explorer.keyspace import Keyspace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from middleware.script import Call, Script
    from tests.explorer.keyspace import Value

# As on the server: what a script forgets to declare as local is an error.
_NO_GLOBALS = """
setmetatable(_G, {__newindex = function(_, name) error('a global was set: ' .. name) end})
"""


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """All that a store holds, never changed; equal contents are the same object."""

    values: Mapping[str, Value]
    expiring: frozenset[str]


class EmbeddedServer:
    """Runs calls on contents.

    `changed` replaces scripts by name. What is written under `forgotten` is gone after the call:
    for keys that no script's answer or record depends on.
    """

    def __init__(
        self, *, changed: Mapping[str, Script] | None = None, forgotten: Collection[str] = ()
    ) -> None:
        self._lua: Any = lua51.LuaRuntime(register_eval=False, register_builtins=False)
        self._changed = changed or {}
        self._forgotten = forgotten
        self._functions: dict[str, Callable[..., Any]] = {}
        self._known: dict[object, Contents] = {}
        self._keyspace = Keyspace({}, frozenset())
        self._lua.globals().redis = self._lua.table_from({"call": self._redis_call})
        self._lua.globals().cjson = self._lua.table_from({"encode": self._json})
        self._lua.execute(_NO_GLOBALS)
        self.empty = self._kept(self._keyspace)

    def run(
        self, contents: Contents, call: Call[Any], *, identity: str, now_ms: int
    ) -> tuple[list[str], Contents, Keyspace]:
        """The script's reply, what the store holds after it, and the same before forgetting."""
        self._keyspace = Keyspace(contents.values, contents.expiring)
        arguments = [*map(str, call.arguments), identity, str(now_ms)]
        reply = self._function(call.script)(
            self._lua.table_from(call.keys), self._lua.table_from(arguments)
        )
        written = self._keyspace
        return _texts(reply), self._kept(written), written

    def holding(self, values: Mapping[str, Value]) -> Contents:
        return self._kept(Keyspace(values, frozenset()))

    def _function(self, script: Script) -> Callable[..., Any]:
        if script.name not in self._functions:
            script = self._changed.get(script.name, script)
            body = script.body(clock_is_argument=True, identity_is_argument=True)
            function = self._lua.eval(f"function(KEYS, ARGV) {body}\nend")
            self._functions[script.name] = function
        return self._functions[script.name]

    def _redis_call(self, name: str, *arguments: str | int) -> Any:  # noqa: ANN401 - Lua's value
        reply = self._keyspace.call(name, *arguments)
        if isinstance(reply, list):
            return self._lua.table_from([False if each is None else each for each in reply])
        return reply

    def _json(self, table: Any) -> str:  # noqa: ANN401 - Lua's value
        return json.dumps(_plain(table), separators=(",", ":"))

    def _kept(self, keyspace: Keyspace) -> Contents:
        values = {key: keyspace.values[key] for key in sorted(keyspace.values)}
        for key in self._forgotten:
            values.pop(key, None)
        expiring = frozenset(keyspace.expiring.intersection(values))
        frozen = (tuple(map(_frozen, values.items())), expiring)
        return self._known.setdefault(frozen, Contents(values, expiring))


def _frozen(item: tuple[str, Value]) -> object:
    key, value = item
    if isinstance(value, dict):
        return key, *sorted(value.items())
    return (key, *map(repr, value)) if isinstance(value, tuple) else item


def _texts(reply: Any) -> list[str]:  # noqa: ANN401 - Lua's value
    """As the client reads it: the first `nil` ends an array, and a number loses its fraction."""
    texts: list[str] = []
    while (each := reply[len(texts) + 1]) is not None:
        assert not isinstance(each, bool), "no reply has a value that is missing"
        texts.append(each if isinstance(each, str) else str(int(each)))
    return texts


def _plain(value: Any) -> Any:  # noqa: ANN401 - Lua's value, and JSON's
    if lua51.lua_type(value) != "table":
        return value
    items = dict(value.items())
    if set(items) == set(range(1, len(items) + 1)):
        return [_plain(items[place]) for place in sorted(items)]
    return {name: _plain(each) for name, each in items.items()}
