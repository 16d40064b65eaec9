"""Carries out, at its time, what the forecast says of kills, pauses and robberies."""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, assert_never, cast, get_args

import redis

from sandbox.errors import SandboxError
from tests.storm.forecast import Victim, blows_of, robberies_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from tests.storm.forecast import Blow, Robbery, Storm
    from tests.storm.site import Site

# How soon it tries again: the victim is just being started, or the store to be robbed is away.
_AGAIN_S = 0.1
# Soon enough for a plan of tenths of seconds.
_LONGEST_SLEEP_S = 0.05
ROBBERIES = ("rob messages", "rob queue")
_KINDS = (
    *(f"{does} {victim}" for does in ("kill", "pause") for victim in get_args(Victim)),
    *ROBBERIES,
)


@dataclass(frozen=True, slots=True)
class Struck:
    """`at_s` in seconds since 1970, to be found again in logs and evidence."""

    at_s: float
    what: str
    detail: str


class Striking:
    """Belongs to one thread; `struck` may be read meanwhile."""

    def __init__(self, site: Site, storm: Storm) -> None:
        self.struck: list[Struck] = []
        self._site = site
        # Nothing more is asked for, so there may be nothing left to steal.
        self._robbed_until_s = storm.seconds
        self._order = itertools.count()
        # By time; what cannot be done yet goes back to the heap.
        self._ahead: list[tuple[float, int, Callable[[], bool]]] = []
        for blow in blows_of(storm):
            self._at(blow.at_s, partial(self._strike, blow))
        for robbery in robberies_of(storm):
            self._at(robbery.at_s, partial(self._rob, robbery))
        self._begin_s = 0.0

    @property
    def counts(self) -> Counter[str]:
        """Those of what has not happened, too."""
        counts = Counter(dict.fromkeys(_KINDS, 0))
        counts.update(each.what for each in self.struck)
        return counts

    def run(self, stopping: Event) -> None:
        """Until all is done, or it is told to stop; whoever was paused goes on in the end."""
        self._begin_s = time.monotonic()
        while self._ahead and not stopping.is_set():
            at_s, _, act = self._ahead[0]
            remaining_s = at_s - self._elapsed_s()
            if remaining_s > 0:
                stopping.wait(min(remaining_s, _LONGEST_SLEEP_S))
                continue
            heapq.heappop(self._ahead)
            if not act():
                self._at(self._elapsed_s() + _AGAIN_S, act)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._begin_s

    def _at(self, at_s: float, act: Callable[[], bool]) -> None:
        heapq.heappush(self._ahead, (at_s, next(self._order), act))

    def _note(self, what: str, detail: str) -> None:
        self.struck.append(Struck(time.time(), what, detail))

    def _strike(self, blow: Blow) -> bool:
        match blow.victim:
            case "valkey":
                return self._strike_store(blow)
            case "worker" | "projector":
                return self._strike_host(blow)
            case unreachable:
                assert_never(unreachable)

    def _strike_store(self, blow: Blow) -> bool:
        store = self._site.store
        if not store.is_running:
            return False
        if blow.does == "kill":
            store.kill()
            self._note("kill valkey", f"away for {blow.seconds} s")
            self._in(blow.seconds, self._start_store)
        else:
            store.pause()
            self._note("pause valkey", f"for {blow.seconds} s")
            self._in(blow.seconds, self._resume_store)
        return True

    def _strike_host(self, blow: Blow) -> bool:
        # Where the victim is being started again, the other host's is struck in its place: blows
        # that waited for it would strike it one by one as it begins, and its supervisor, which lets
        # more and more time pass between two beginnings, would keep the last ones from falling.
        numbers = range(len(self._site.hosts))
        in_turn = (*numbers[blow.host :], *numbers[: blow.host])
        return any(self._strike_one(blow, number) for number in in_turn)

    def _strike_one(self, blow: Blow, number: int) -> bool:
        assert blow.victim != "valkey"
        host = self._site.hosts[number]
        pid = host.kill(blow.victim) if blow.does == "kill" else host.pause(blow.victim)
        if pid is None:
            return False
        where = f"host {number + 1}, process group {pid}"
        if blow.does == "pause":
            self._note(f"pause {blow.victim}", f"{where}, for {blow.seconds} s")
            self._in(blow.seconds, partial(self._resume, number, pid))
        else:
            self._note(f"kill {blow.victim}", where)
        return True

    def _rob(self, robbery: Robbery) -> bool:
        try:
            with self._site.store.client(timeout_s=1.0) as client:
                stolen = self._steal(client, robbery.share)
        except (redis.RedisError, OSError, SandboxError):
            return False
        if stolen:
            what = "rob queue" if robbery.share is None else "rob messages"
            self._note(what, f"{stolen} messages")
        return bool(stolen) or self._elapsed_s() > self._robbed_until_s

    def _steal(self, client: redis.Redis, share: float | None) -> int:
        keys = sorted(client.scan_iter(match=f"{self._site.ledger.keys.prefix}:{{queue}}*"))
        bodies = [key for key in keys if key.endswith(".msgs")]
        ids = [(key, id_) for key in bodies for id_ in cast("list[str]", client.hkeys(key))]
        if share is None and keys:
            client.delete(*keys)
            return len(ids)
        some = ids[: round(len(ids) * (share or 0))]
        for key, id_ in some:
            client.hdel(key, id_)
        return len(some)

    def _in(self, seconds: float, act: Callable[[], bool]) -> None:
        self._at(self._elapsed_s() + seconds, act)

    def _start_store(self) -> bool:
        self._site.store.start()
        return True

    def _resume_store(self) -> bool:
        if self._site.store.is_running:
            self._site.store.resume()
        return True

    def _resume(self, host: int, pid: int) -> bool:
        self._site.hosts[host].resume(pid)
        return True
