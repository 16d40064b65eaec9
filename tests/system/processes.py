"""A whole installation in real processes, on a timing contract of a few seconds.

A store, a Slack stand-in, projectors and workers; all of them end with the context.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actors.tenants_file import read_tenants_file
from projector.configure import configure
from projector.settings import StoreSettings
from sandbox.process_group import START_S, ProcessGroup
from sandbox.servers import ValkeyProcess
from sandbox.slack import SlackSandbox
from tests.system.deliveries import OPS, SLOW, TENANT, Deliveries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

ROOT = Path(__file__).parents[2]
TOKEN = "xoxb-T1"
TENANTS = f"""
tenants:
  {TENANT}:
    workspaces: {{main: {{team_id: T1}}}}
    channels:
      ops: {{workspace: main, id: {OPS}}}
      slow: {{workspace: main, id: {SLOW}}}
    templates: {{hi: {{text: "Hello {{{{ name }}}}"}}}}
"""

_FOREIGN = ("POSTONCE_", "SLACK_", "DRAMATIQ_", "dramatiq_")


class Installation(Deliveries):
    """`directory` gets the logs. Nothing but Slack runs until it is started."""

    def __init__(
        self,
        directory: Path,
        *,
        token: str = TOKEN,
        store: ValkeyProcess | None = None,
        url: str | None = None,
        app: str = "actors.app",
        dispatch_window_s: float = 1.0,
        wait_replicas: int = 0,
    ) -> None:
        """`url` is the way to the store, if it is not its own; `app` what its processes run."""
        self.store = ValkeyProcess() if store is None else store
        settings: dict[str, Any] = {
            "redis_url": self.store.url if url is None else url,
            "partitions": 4,
            # All of it that a lease of two seconds allows: a busy machine must not miss it.
            "post_deadline_s": 1.3,
            "lease_s": 2.0,
            "settle_delay_s": 0.7,
            "dispatch_window_s": dispatch_window_s,
            "wait_replicas": wait_replicas,
        }
        super().__init__(StoreSettings(**settings).ledger(), SlackSandbox())
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
        self._app = app
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
        started = self._run(log_file, "projector", "--app", self._app, *arguments, **environment)
        self._projectors.append(started)
        return started

    def worker(self, *arguments: str, app: str | None = None, **environment: str) -> ProcessGroup:
        """As `projector`: one process of eight threads."""
        log_file = self._directory / f"worker-{len(self._workers)}.log"
        sizes = ("--processes", "1", "--threads", "8")
        started = self._run(
            log_file, "dramatiq", app or self._app, *sizes, *arguments, **environment
        )
        self._workers.append(started)
        return started

    def ready_worker(
        self, *arguments: str, app: str | None = None, **environment: str
    ) -> ProcessGroup:
        worker = self.worker(*arguments, app=app, **environment)
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

    def queue_keys(self) -> list[str]:
        """All that Dramatiq keeps in the store."""
        pattern = f"{self.ledger.keys.prefix}:{{queue}}*"
        return sorted(self.ledger.store.client.scan_iter(match=pattern))

    def queued(self) -> int:
        """How many messages stand on the queue or are in a worker's hands."""
        key = f"{self.ledger.keys.prefix}:{{queue}}:slack.msgs"
        return self.ledger.store.client.hlen(key)

    def _run(self, log_file: Path, *arguments: str, **environment: str) -> ProcessGroup:
        command = (sys.executable, "-m", *arguments)
        merged: Mapping[str, str] = {**self.environment, **environment}
        return ProcessGroup(command, directory=ROOT, environment=merged, log_file=log_file)
