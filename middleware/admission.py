"""Whether a store may be trusted with the ledger: asked once a process, before the first script.

A server that evicts keys would forget what was sent, and another number of partitions would look
for it elsewhere, so both are refused. One that may lose its last second is used, with a warning.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Literal, cast

import redis
from redis.exceptions import ResponseError

from middleware.errors import StoreRefused
from middleware.store import failing_closed

if TYPE_CHECKING:
    from middleware.keys import Keys
    from middleware.store import Store

log = logging.getLogger(__name__)

Severity = Literal["good", "risky", "refused"]


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

    def __init__(self) -> None:
        self._is_admitted = False
        self._lock = Lock()
        self._asking: Future[None] | None = None

    def ensure(self, store: Store, keys: Keys) -> None:
        """Raises StoreRefused, or LedgerUnavailable while the store cannot be asked."""
        if not self._is_admitted:
            self._answer(store, keys).result()

    async def aensure(self, store: Store, keys: Keys) -> None:
        """As `ensure`, without blocking the event loop."""
        if not self._is_admitted:
            await asyncio.wrap_future(self._answer(store, keys))

    def _answer(self, store: Store, keys: Keys) -> Future[None]:
        with self._lock:
            if self._asking is None or self._asking.done():
                answer: Future[None] = Future()
                # One caller that is cancelled must not cancel it for the others.
                answer.set_running_or_notify_cancel()
                # A thread of its own: whoever is interrupted, it is asked to the end.
                Thread(target=self._ask, args=(store, keys, answer), daemon=True).start()
                self._asking = answer
            return self._asking

    def _ask(self, store: Store, keys: Keys, answer: Future[None]) -> None:
        try:
            _refuse_unfit(store, keys)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            answer.set_exception(error)
        else:
            self._is_admitted = True
            answer.set_result(None)


def _refuse_unfit(store: Store, keys: Keys) -> None:
    for finding in check_store(store, keys):
        if finding.severity == "refused":
            raise StoreRefused(f"{finding.check}: {finding.found}. {finding.remedy}")
        if finding.severity == "risky":
            log.warning("%s: %s. %s", finding.check, finding.found, finding.remedy)


def check_store(store: Store, keys: Keys) -> list[Finding]:
    """Every check, good ones too. Raises LedgerUnavailable when the store does not answer."""
    with failing_closed():
        return [
            _check_partitions(store, keys),
            _check_eviction(store),
            _check_durability(store),
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
    policies = sorted({str(info["maxmemory_policy"]) for info in _of_each_node(store, "memory")})
    if policies == ["noeviction"]:
        return Finding("maxmemory-policy", "good", "noeviction")
    return Finding(
        "maxmemory-policy",
        "refused",
        ", ".join(policies),
        "A server that evicts keys forgets what was sent: set maxmemory-policy noeviction",
    )


def _check_durability(store: Store) -> Finding:
    try:
        settings = store.client.config_get("appendonly", "appendfsync")
    except ResponseError:
        return Finding(
            "appendfsync",
            "risky",
            "the server does not tell",
            "Make sure that it writes its log always, or a crash may lose its last second",
        )
    found = f"appendonly {settings['appendonly']}, appendfsync {settings['appendfsync']}"
    if settings["appendonly"] == "yes" and settings["appendfsync"] == "always":
        return Finding("appendfsync", "good", found)
    return Finding(
        "appendfsync",
        "risky",
        found,
        "A crash of the server can lose its last writes, and then a message may be posted twice: "
        "set appendonly yes and appendfsync always",
    )


def _of_each_node(store: Store, section: str) -> list[dict[str, Any]]:
    client: Any = store.client
    if isinstance(client, redis.RedisCluster):
        answers: Any = client.info(section, target_nodes=redis.RedisCluster.PRIMARIES)
        return list(answers.values())
    return [client.info(section)]
