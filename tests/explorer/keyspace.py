"""The Redis commands that the ledger's scripts use, and no others, on values that never change.

A command copies what it writes, so that an earlier state of the store costs nothing to keep or to
return to. An unknown command or option is an error: one that is ignored would hide what it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Hash = dict[str, str]
Scores = dict[str, float]
List = tuple[str, ...]
Stream = tuple[Hash, ...]
Value = Hash | Scores | List | Stream | str
# What a script gets back: Lua has no other kinds.
Reply = list[str] | list[str | None] | str | int


class CommandUnknownError(Exception):
    """A script uses a command that is not imitated here: add it, as the real server has it."""


class Keyspace:
    """What one run of a script reads and writes; `values` belongs to it alone, its values do not.

    `expiring` names the keys with a time to live, which is never reached here.
    """

    def __init__(self, values: Mapping[str, Value], expiring: frozenset[str]) -> None:
        self.values = dict(values)
        self.expiring = set(expiring)

    def call(self, name: str, *arguments: str | int) -> Reply:
        command = self._COMMANDS.get(name)
        if command is None:
            raise CommandUnknownError(name)
        # Lua has one kind of number; the server writes whole ones without a fraction.
        return command(self, *map(str, arguments))

    def _hgetall(self, key: str) -> list[str]:
        return [text for pair in self._hash(key).items() for text in pair]

    def _hmget(self, key: str, *fields: str) -> list[str | None]:
        return [self._hash(key).get(field) for field in fields]

    def _hset(self, key: str, *pairs: str) -> int:
        changed = dict(zip(pairs[::2], pairs[1::2], strict=True))
        before = self._hash(key)
        self.values[key] = before | changed
        return len(changed.keys() - before.keys())

    def _hdel(self, key: str, *fields: str) -> int:
        before = self._hash(key)
        self._put(key, {name: text for name, text in before.items() if name not in fields})
        return len(before) - len(self._hash(key))

    def _hincrby(self, key: str, field: str, by: str) -> int:
        number = int(self._hash(key).get(field, 0)) + int(by)
        self.values[key] = self._hash(key) | {field: str(number)}
        return number

    def _zadd(self, key: str, score: str, member: str) -> int:
        before = self._scores(key)
        self.values[key] = before | {member: float(score)}
        return int(member not in before)

    def _zrem(self, key: str, member: str) -> int:
        before = self._scores(key)
        self._put(key, {name: score for name, score in before.items() if name != member})
        return int(member in before)

    def _zrange(self, key: str, start: str, stop: str, with_scores: str) -> list[str]:
        _only(with_scores, "WITHSCORES")
        last = None if stop == "-1" else int(stop) + 1
        return _with_scores(self._ordered(key)[int(start) : last])

    def _zrangebyscore(self, key: str, low: str, high: str, *options: str) -> list[str]:
        within = [(at, name) for at, name in self._ordered(key) if _lies_between(low, at, high)]
        *has_scores, limit, offset, count = options
        _only(limit, "LIMIT")
        within = within[int(offset) : int(offset) + int(count)]
        if has_scores:
            _only(" ".join(has_scores), "WITHSCORES")
            return _with_scores(within)
        return [name for _, name in within]

    def _rpush(self, key: str, text: str) -> int:
        self.values[key] = (*self._list(key), text)
        return len(self._list(key))

    def _ltrim(self, key: str, start: str, stop: str) -> str:
        _only(stop, "-1")
        if key in self.values:
            self._put(key, self._list(key)[int(start) :])
        return "OK"

    def _llen(self, key: str) -> int:
        return len(self._list(key))

    def _xadd(self, key: str, entry: str, *pairs: str) -> str:
        _only(entry, "*")
        stream = self._stream(key)
        self.values[key] = (*stream, dict(zip(pairs[::2], pairs[1::2], strict=True)))
        return f"{len(stream) + 1}-0"

    def _set(self, key: str, text: str) -> str:
        self.values[key] = text
        self.expiring.discard(key)
        return "OK"

    def _del(self, key: str) -> int:
        was_there = self.values.pop(key, None) is not None
        self.expiring.discard(key)
        return int(was_there)

    def _pexpire(self, key: str, _ttl_ms: str) -> int:
        if key in self.values:
            self.expiring.add(key)
        return int(key in self.values)

    def _persist(self, key: str) -> int:
        was_expiring = key in self.expiring
        self.expiring.discard(key)
        return int(was_expiring)

    _COMMANDS: ClassVar[Mapping[str, Callable[..., Reply]]] = {
        "DEL": _del,
        "HDEL": _hdel,
        "HGETALL": _hgetall,
        "HINCRBY": _hincrby,
        "HMGET": _hmget,
        "HSET": _hset,
        "LLEN": _llen,
        "LTRIM": _ltrim,
        "PERSIST": _persist,
        "PEXPIRE": _pexpire,
        "RPUSH": _rpush,
        "SET": _set,
        "XADD": _xadd,
        "ZADD": _zadd,
        "ZRANGE": _zrange,
        "ZRANGEBYSCORE": _zrangebyscore,
        "ZREM": _zrem,
    }

    def _hash(self, key: str) -> Hash:
        return self.values.get(key, {})  # type: ignore[return-value]

    def _scores(self, key: str) -> Scores:
        return self.values.get(key, {})  # type: ignore[return-value]

    def _list(self, key: str) -> List:
        return self.values.get(key, ())  # type: ignore[return-value]

    def _stream(self, key: str) -> Stream:
        return self.values.get(key, ())  # type: ignore[return-value]

    def _ordered(self, key: str) -> list[tuple[float, str]]:
        return sorted((score, name) for name, score in self._scores(key).items())

    def _put(self, key: str, value: Value) -> None:
        """What has become empty is no longer there."""
        if value:
            self.values[key] = value
        else:
            self._del(key)


def _lies_between(low: str, at: float, high: str) -> bool:
    is_above = at > float(low[1:]) if low.startswith("(") else at >= float(low)
    return is_above and at <= float(high)


def _with_scores(members: list[tuple[float, str]]) -> list[str]:
    return [text for at, name in members for text in (name, f"{at:.17g}")]


def _only(given: str, known: str) -> None:
    if given != known:
        raise CommandUnknownError(given)
