"""What recovery is measured on: a store, a Slack, a projector and workers, with default settings.

All of it ends with the context.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from actors.tenants_file import read_tenants_file
from benchmarks.load import requests
from benchmarks.rig import PROJECT
from middleware.keys import Delivery
from projector.configure import configure
from projector.requests import request_many
from projector.settings import StoreSettings
from projector.status import Status, read_statuses
from sandbox.process_group import ProcessGroup
from sandbox.servers import ValkeyProcess
from sandbox.slack import SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

_FOREIGN = ("POSTONCE_", "SLACK_", "DRAMATIQ_", "dramatiq_")
_READY = "Worker process is ready for action"


class Stage:
    """Its store writes everything at once; nothing is set but addresses and a token."""

    def __init__(self) -> None:
        self.valkey = ValkeyProcess(appendonly=True, appendfsync="always")
        self.slack = SlackSandbox()
        self.ledger = StoreSettings(redis_url=self.valkey.url).ledger()
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        self._environment = {
            **own,
            "POSTONCE_REDIS_URL": self.valkey.url,
            "POSTONCE_SLACK_URL": self.slack.url,
            "SLACK_BOT_TOKEN": "xoxb-T0SANDBOX",
        }
        self._queue = f"{self.ledger.keys.prefix}:{{queue}}"
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        logs = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="postonce-"))
        self._logs = Path(logs)
        self._closing.callback(self.ledger.store.close)
        self._closing.enter_context(self.valkey)
        self._closing.enter_context(self.slack)
        configure(self.ledger, read_tenants_file(PROJECT / "examples" / "tenants.yaml"))
        self._run("projector", "projector")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.close()

    def worker(self, name: str, *, app: str = "actors.app", threads: int = 8) -> ProcessGroup:
        """One process of so many threads; it fetches twice as many messages at most."""
        sizes = ("--processes", "1", "--threads", str(threads))
        started = self._run(name, "dramatiq", app, *sizes)
        started.wait_for(_READY)
        return started

    def ask(self, count: int) -> list[Delivery]:
        asked = list(requests(count))
        for _ in request_many(asked, ledger=self.ledger):
            pass
        return [Delivery(each["tenant"], each["message_request_id"]) for each in asked]

    def in_state(self, deliveries: Sequence[Delivery], *states: str) -> dict[Delivery, Status]:
        found = zip(deliveries, read_statuses(self.ledger, deliveries), strict=True)
        return {of: each for of, each in found if each is not None and each.status in states}

    def standing(self) -> int:
        """How many messages wait on the queue for a worker."""
        return int(self.ledger.store.client.llen(f"{self._queue}:slack"))

    def fetched(self) -> int:
        """How many are in the hands of one, or were when it died."""
        return int(self.ledger.store.client.hlen(f"{self._queue}:slack.msgs")) - self.standing()

    def lose_queue(self) -> None:
        """All that Dramatiq keeps in the store."""
        client = self.ledger.store.client
        client.delete(*client.scan_iter(match=f"{self._queue}*"))

    def now_ms(self) -> int:
        """On the clock of the store, which settles."""
        seconds, microseconds = self.ledger.store.client.time()
        return int(seconds) * 1_000 + int(microseconds) // 1_000

    def _run(self, name: str, *module: str) -> ProcessGroup:
        group = ProcessGroup(
            (sys.executable, "-m", *module),
            directory=PROJECT,
            environment=self._environment,
            log_file=self._logs / f"{name}.log",
        )
        self._closing.callback(group.kill)
        return group
