"""A whole installation in real processes, on a timing contract of a few seconds.

A store, a Slack stand-in, projectors and workers; all of them end with the context.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

from actors.tenants_file import read_tenants_file
from middleware.keys import Delivery
from projector.configure import configure
from projector.explanation import read_explanation
from projector.requests import request
from projector.settings import StoreSettings
from projector.status import Status, read_statuses
from sandbox.servers import ValkeyProcess
from sandbox.slack import SlackSandbox
from tests.system.process_group import ROOT, START_S, ProcessGroup
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from middleware.answers import AcceptAnswer
    from projector.explanation import Evidence
    from sandbox.slack import Attempt, Post

TOKEN = "xoxb-T1"
TENANT = "acme"
OPS, SLOW = "C0OPS", "C0SLOW"
TENANTS = f"""
tenants:
  {TENANT}:
    workspaces: {{main: {{team_id: T1}}}}
    channels:
      ops: {{workspace: main, id: {OPS}}}
      slow: {{workspace: main, id: {SLOW}}}
    templates: {{hi: {{text: "Hello {{{{ name }}}}"}}}}
"""

_SETTLE_S = 30.0
_SETTLED = frozenset({"sent", "rejected", "expired", "cancelled", "unproven"})
_FOREIGN = ("POSTONCE_", "SLACK_", "DRAMATIQ_", "dramatiq_")


_Entries = list[tuple[str, dict[str, str]]]


class Installation:
    """`directory` gets the logs. Nothing but Slack runs until it is started."""

    def __init__(
        self,
        directory: Path,
        *,
        token: str = TOKEN,
        appendonly: bool = False,
        dispatch_window_s: float = 1.0,
    ) -> None:
        self.store = ValkeyProcess(appendonly=appendonly)
        self.slack = SlackSandbox()
        settings: dict[str, Any] = {
            "redis_url": self.store.url,
            "partitions": 4,
            "post_deadline_s": 1.0,
            "lease_s": 2.0,
            "settle_delay_s": 1.0,
            "dispatch_window_s": dispatch_window_s,
        }
        self.ledger = StoreSettings(**settings).ledger()
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        self.environment = {
            **own,
            **{f"POSTONCE_{name.upper()}": str(value) for name, value in settings.items()},
            "POSTONCE_SLACK_URL": self.slack.url,
            "SLACK_BOT_TOKEN": token,
            # How soon Dramatiq's consumer asks again: when idle, and after a lost connection.
            "dramatiq_worker_timeout": "100",
            "dramatiq_restart_delay": "300",
        }
        self._directory = directory
        self._workers: list[ProcessGroup] = []
        self._projectors: list[ProcessGroup] = []
        self._closing = ExitStack()

    @property
    def log_files(self) -> list[Path]:
        return [each.log_file for each in (*self._workers, *self._projectors)]

    def __enter__(self) -> Self:
        self._closing.callback(self.ledger.store.close)
        self._closing.callback(self.store.close)
        self._closing.enter_context(self.slack)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for each in (*self._workers, *self._projectors):
            each.kill()
        self._closing.close()

    def start_store(self, *, tenants: str = TENANTS) -> Self:
        """With these tenants configured."""
        self.store.start()
        configure(self.ledger, read_tenants_file(tenants))
        return self

    def projector(self, *arguments: str, **environment: str) -> ProcessGroup:
        """Started, not waited for."""
        log_file = self._directory / f"projector-{len(self._projectors)}.log"
        started = self._run(log_file, "projector", *arguments, **environment)
        self._projectors.append(started)
        return started

    def worker(self, *arguments: str, **environment: str) -> ProcessGroup:
        """As `projector`: one process of eight threads."""
        log_file = self._directory / f"worker-{len(self._workers)}.log"
        sizes = ("--processes", "1", "--threads", "8")
        started = self._run(log_file, "dramatiq", "actors.app", *sizes, *arguments, **environment)
        self._workers.append(started)
        return started

    def ready_worker(self, *arguments: str, **environment: str) -> ProcessGroup:
        worker = self.worker(*arguments, **environment)
        worker.wait_for("Worker process is ready for action")
        return worker

    def running_worker(self) -> ProcessGroup:
        """The last one, or a new one where a test has ended it; never a paused one."""
        if not self._workers or not self._workers[-1].is_running:
            return self.ready_worker()
        self._workers[-1].resume()
        return self._workers[-1]

    def kill_workers(self) -> None:
        for each in self._workers:
            each.kill()

    def running_projector(self) -> ProcessGroup:
        """The last one, or a new one, which may have to wait for the leases of one that died."""
        if not self._projectors or not self._projectors[-1].is_running:
            return self.projector()
        return self._projectors[-1]

    def command(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        """`postonce ARGUMENTS`."""
        ended = subprocess.run(
            [sys.executable, "-m", "actors.cli", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=START_S,
        )
        out, err = ended.stdout.decode(), ended.stderr.decode()
        return subprocess.CompletedProcess(ended.args, ended.returncode, out, err)

    def ask(self, message_request_id: str, **others: object) -> AcceptAnswer:
        fields: dict[str, object] = {
            "tenant": TENANT,
            "channel_code": "ops",
            "template_code": "hi",
            "variables": {"name": message_request_id},
            **others,
        }
        return request(ledger=self.ledger, message_request_id=message_request_id, **fields)

    def statuses(self, *ids: str, tenant: str = TENANT) -> dict[str, Status]:
        """Without those that nobody asked for."""
        found = read_statuses(self.ledger, [Delivery(tenant, each) for each in ids])
        return {each.message_request_id: each for each in found if each is not None}

    def wait_until_settled(self, *ids: str, tenant: str = TENANT) -> dict[str, Status]:
        """What became of each of them."""

        def settled() -> dict[str, Status] | None:
            found = self.statuses(*ids, tenant=tenant)
            all_have = len(found) == len(set(ids))
            return found if all_have and _are_settled(found.values()) else None

        described = f"an outcome of each of {', '.join(ids)}"
        found = wait_until(settled, description=described, timeout_s=_SETTLE_S)
        assert found is not None
        return found

    def wait_for_attempts(self, count: int, *, channel: str = OPS) -> None:
        """Until so many POSTs for the channel have reached Slack."""
        wait_until(
            lambda: sum(each.channel == channel for each in self.slack.attempts) >= count,
            description=f"{count} POSTs for {channel} reach Slack",
            timeout_s=_SETTLE_S,
        )

    def attempts_of(self, message_request_id: str) -> list[Attempt]:
        """Every POST made for the request, by the marker of its record."""
        marker = self._marker_of(message_request_id)
        return [each for each in self.slack.attempts if each.marker == marker]

    def posts_of(self, message_request_id: str) -> list[Post]:
        """Every message that Slack holds for the request, by the same."""
        marker = self._marker_of(message_request_id)
        return [each for each in self.slack.posts if each.marker == marker]

    def evidence_of(self, message_request_id: str, *, source: str = "ledger") -> list[Evidence]:
        """What happened to it, in order: by the ledger, or (`event`) as folded."""
        explanation = read_explanation(self.ledger, TENANT, message_request_id)
        assert explanation is not None, f"{message_request_id} has no record"
        return [each for each in explanation.evidence if each.source == source]

    def queue_keys(self) -> list[str]:
        """All that Dramatiq keeps in the store."""
        pattern = f"{self.ledger.keys.prefix}:{{queue}}*"
        return sorted(self.ledger.store.client.scan_iter(match=pattern))

    def queued(self) -> int:
        """How many messages stand on the queue or are in a worker's hands."""
        key = f"{self.ledger.keys.prefix}:{{queue}}:slack.msgs"
        return self.ledger.store.client.hlen(key)

    def told(self) -> list[tuple[str, str]]:
        """Every outcome event there is, as id and event."""
        keys = self.ledger.keys
        streams = [keys.outcomes(partition) for partition in range(keys.partitions)]
        entries = [
            entry
            for stream in streams
            for entry in cast("_Entries", self.ledger.store.client.xrange(stream))
        ]
        return [(fields["id"], fields["event"]) for _, fields in entries]

    def _marker_of(self, message_request_id: str) -> str:
        key = self.ledger.keys.delivery(Delivery(TENANT, message_request_id))
        marker = cast("str | None", self.ledger.store.client.hget(key, "marker"))
        assert marker is not None, f"{message_request_id} has no record"
        return marker

    def _run(self, log_file: Path, *arguments: str, **environment: str) -> ProcessGroup:
        command = (sys.executable, "-m", *arguments)
        merged: Mapping[str, str] = {**self.environment, **environment}
        return ProcessGroup(command, environment=merged, log_file=log_file)


def _are_settled(statuses: Iterable[Status]) -> bool:
    return all(each.status in _SETTLED for each in statuses)
