"""Whether a store may be trusted with the ledger: asked before the first script, and again whenever
another server answers, or the same one with another past.

A server that evicts keys would forget what was sent, and another number of partitions would look
for it elsewhere, so both are refused. One that may lose its last second is used, with a warning.
"""

from __future__ import annotations

import asyncio
import logging
import os
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Literal, cast

from redis.exceptions import ResponseError

from middleware.epochs import enter_epochs
from middleware.errors import StoreRefused
from middleware.store import failing_closed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from middleware.keys import Keys
    from middleware.store import Store
    from middleware.timing import Timing

log = logging.getLogger(__name__)

Severity = Literal["good", "risky", "refused"]

DURABILITY = "appendfsync"
_DURABLE = {
    "appendonly": "yes",
    "appendfsync": "always",
    # Otherwise nothing is kept for as long as the log is written anew.
    "no-appendfsync-on-rewrite": "no",
}
_UNTOLD = "the server does not tell"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and what to do unless it is good."""

    check: str
    severity: Severity
    found: str
    remedy: str = ""


class Admission:
    """Lets scripts run once the store passed; refuses them for good reasons only.

    Whoever comes while the store is being asked shares the answer: in a queue each would wait for
    a store that hangs after the one before it did.
    """

    def __init__(self, store: Store, keys: Keys, timing: Timing) -> None:
        self._store = store
        self._keys = keys
        self._timing = timing
        self._is_admitted = False
        self._lock = Lock()
        self._asking: Future[None] | None = None
        self._asked_by = os.getpid()

    def ensure(self) -> None:
        """Raises StoreRefused, or LedgerUnavailable while the store cannot be asked."""
        if not self._is_admitted:
            self._answer().result()

    async def aensure(self) -> None:
        """As `ensure`, without blocking the event loop."""
        if not self._is_admitted:
            await asyncio.wrap_future(self._answer())

    def withdraw(self) -> None:
        """Another server answers, or the same one with another past: it is to be asked again."""
        self._is_admitted = False

    def _answer(self) -> Future[None]:
        with self._lock:
            # The thread that would answer has not come along where the process was forked.
            is_left_behind = self._asked_by != os.getpid()
            if self._asking is None or self._asking.done() or is_left_behind:
                answer: Future[None] = Future()
                # One caller that is cancelled must not cancel it for the others.
                answer.set_running_or_notify_cancel()
                # A thread of its own: whoever is interrupted, it is asked to the end.
                Thread(target=self._ask, args=(answer,), daemon=True).start()
                self._asking, self._asked_by = answer, os.getpid()
            return self._asking

    def _ask(self, answer: Future[None]) -> None:
        try:
            is_durable = self._is_durable()
            enter_epochs(self._store, self._keys, self._timing, is_durable=is_durable)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            answer.set_exception(error)
        else:
            self._is_admitted = True
            answer.set_result(None)

    def _is_durable(self) -> bool:
        """Whether what it answered is what it will answer from; raises StoreRefused for what is
        unfit.
        """
        is_durable = True
        for finding in check_store(self._store, self._keys):
            if finding.severity == "refused":
                raise StoreRefused(f"{finding.check}: {finding.found}. {finding.remedy}")
            if finding.severity == "risky":
                log.warning("%s: %s. %s", finding.check, finding.found, finding.remedy)
            if finding.check == DURABILITY:
                is_durable = finding.severity == "good"
        # One of them may come in its place, and forget that it was ever a replica.
        return is_durable and not _has_replicas(self._store)


def check_store(store: Store, keys: Keys) -> list[Finding]:
    """Every check, good ones too. Raises LedgerUnavailable when the store does not answer."""
    with failing_closed():
        return [
            _check_partitions(store, keys),
            _check_eviction(store),
            _check_durability(store),
            _check_identity(store),
        ]


def _check_partitions(store: Store, keys: Keys) -> Finding:
    store.client.hsetnx(keys.settings(), "partitions", str(keys.partitions))
    stored = cast("str", store.client.hget(keys.settings(), "partitions"))
    if int(stored) == keys.partitions:
        return Finding("partitions", "good", stored)
    return Finding(
        "partitions",
        "refused",
        f"{keys.prefix!r} was first used with {stored}, not {keys.partitions}",
        f"Set POSTONCE_PARTITIONS={stored}, or use another POSTONCE_PREFIX",
    )


def _check_eviction(store: Store) -> Finding:
    told = _of_each_primary(store, "info", "memory")
    policies = sorted({info.get("maxmemory_policy", _UNTOLD) for info in told})
    if policies == ["noeviction"]:
        return Finding("maxmemory-policy", "good", "noeviction")
    return Finding(
        "maxmemory-policy",
        "refused" if set(policies) - {"noeviction", _UNTOLD} else "risky",
        ", ".join(policies),
        "A server that evicts keys forgets what was sent: set maxmemory-policy noeviction",
    )


def _check_durability(store: Store) -> Finding:
    told = _of_each_primary(store, "config_get", *_DURABLE)
    kept = sorted({_durability(settings) for settings in told})
    if kept == [_as_text(_DURABLE)]:
        return Finding(DURABILITY, "good", kept[0])
    return Finding(
        DURABILITY,
        "risky",
        "; ".join(kept),
        "A crash of the server can lose its last writes, and then a message may be posted twice: "
        f"set {_as_text(_DURABLE)}",
    )


def _check_identity(store: Store) -> Finding:
    ids = [info.get("master_replid") for info in _of_each_primary(store, "info", "replication")]
    if all(ids):
        return Finding("replication id", "good", ", ".join(sorted(str(each) for each in ids)))
    return Finding(
        "replication id",
        "refused",
        _UNTOLD,
        "It tells whether another server took over, with writes lost: allow the user INFO",
    )


def _durability(settings: dict[str, str]) -> str:
    if not _DURABLE.keys() <= settings.keys():
        return _UNTOLD
    return _as_text({name: settings[name] for name in _DURABLE})


def _as_text(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _has_replicas(store: Store) -> bool:
    with failing_closed():
        told = _of_each_primary(store, "info", "replication")
    return any(int(info.get("connected_slaves", 0)) for info in told)


def _of_each_primary(store: Store, question: str, *arguments: str) -> list[dict[str, str]]:
    """What each answers; nothing where it may not be asked, as on many a hosted server."""
    client: Any = store.client
    ask: Callable[..., dict[str, str]] = getattr(client, question)
    primaries = client.get_primaries() if store.is_cluster else ()
    nodes = [{"target_nodes": node} for node in primaries] if store.is_cluster else [{}]
    answers = []
    for node in nodes:
        try:
            answers.append(ask(*arguments, **node))
        except ResponseError:
            answers.append({})
    return answers
