"""The installation that the storm strikes, as real processes that end with it.

A store that keeps every write, a stand-in for Slack, and two machines that run `postonce up`.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actors.tenants_file import read_tenants_file
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import SECOND_MS
from projector.configure import configure
from sandbox.demo.installations import install
from sandbox.process_group import ProcessGroup
from sandbox.servers import ValkeyProcess
from tests.storm.forecast import CHANNELS, HISTORY_LAG_MS, HOSTS, TEMPLATE, TENANTS, TIMING
from tests.storm.host import Host
from tests.storm.stand_in import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.demo.interruptions import Interruptions

ROOT = Path(__file__).parents[2]
# A store that stands still for longer is asked again, and may have done it twice then.
_STORE_ANSWERS_S = 1.0
# So many deliveries are on their way at any moment that a kill must hit some.
_SLOW_MS = 60
_PARTITIONS = 4
_FOREIGN = ("POSTONCE_", "SLACK_", "DRAMATIQ_", "dramatiq_")


class Site:
    """`directory` gets the logs, the store's data and the installations' tokens."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = ValkeyProcess(
            data_dir=directory / "valkey", appendonly=True, appendfsync="always"
        )
        self.slack = StandIn()
        # Looked at through this one, which waits for a store that stands still.
        self.ledger = Ledger(Store(self.store.url), Keys(partitions=_PARTITIONS), TIMING)
        self.hosts: list[Host] = []
        # The ts of the thread that each channel has, by tenant and the channel's code.
        self.threads: dict[tuple[str, str], str] = {}

    @property
    def answers_file(self) -> Path:
        """What services were answered, a line each."""
        return self.directory / "answers.jsonl"

    @property
    def heard_file(self) -> Path:
        """What a service that follows outcomes has heard, a line each."""
        return self.directory / "heard.jsonl"

    @property
    def environment(self) -> Mapping[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return {
            **own,
            "POSTONCE_REDIS_URL": f"{self.store.url}?socket_timeout={_STORE_ANSWERS_S:g}",
            "POSTONCE_PARTITIONS": str(_PARTITIONS),
            "POSTONCE_SLACK_URL": self.slack.url,
            "POSTONCE_INSTALLATIONS": f"file://{self.directory / 'installations'}",
            "POSTONCE_POST_DEADLINE_S": _seconds(TIMING.post_deadline_ms),
            "POSTONCE_LEASE_S": _seconds(TIMING.lease_ms),
            "POSTONCE_SETTLE_DELAY_S": _seconds(TIMING.settle_delay_ms),
            "POSTONCE_DISPATCH_WINDOW_S": _seconds(TIMING.dispatch_window_ms),
            # How soon Dramatiq's consumer asks again: when idle, and after a lost connection.
            "dramatiq_worker_timeout": "100",
            "dramatiq_restart_delay": "300",
        }

    @contextmanager
    def running(self, interruptions: Interruptions) -> Iterator[None]:
        """With its tenants configured and all workers ready; afterwards nothing of it runs."""
        with ExitStack() as started:
            started.callback(self.ledger.store.close)
            with interruptions.deferred():
                started.enter_context(self.store)
            install(self.directory / "installations", map(_team_of, TENANTS))
            configure(self.ledger, read_tenants_file(_tenants_file()))
            slowness = self.slack.arguments(slow_ms=_SLOW_MS, history_lag_ms=HISTORY_LAG_MS)
            with interruptions.deferred():
                self.start("stand-in", started, *slowness)
            for number in range(1, HOSTS + 1):
                with interruptions.deferred():
                    self.hosts.append(Host(number, self.directory, self.environment))
                    started.callback(self.hosts[-1].stop)
            started.callback(interruptions.ignore)
            self.slack.wait()
            self._begin_threads()
            for host in self.hosts:
                host.wait_until_ready()
            yield

    def posts(self) -> list[dict[str, Any]]:
        """What Slack holds, without what the threads began with."""
        begun = set(self.threads.values())
        return [post for post in self.slack.posts() if post["ts"] not in begun]

    def received(self) -> int:
        """How many POSTs have reached Slack, without those by which the threads began."""
        return self.slack.totals()["received"] - len(self.threads)

    def start(self, name: str, started: ExitStack, *arguments: str) -> ProcessGroup:
        """`python ARGUMENTS`, until `started` is closed."""
        program = ProcessGroup(
            (sys.executable, *arguments),
            directory=ROOT,
            environment=self.environment,
            log_file=self.directory / f"{name}.log",
        )
        started.callback(program.kill)
        return program

    def _begin_threads(self) -> None:
        for tenant in TENANTS:
            for code in CHANNELS:
                self.threads[tenant, code] = self.slack.begin_thread(
                    token=f"xoxb-{_team_of(tenant)}", channel=_channel_of(tenant, code)
                )


def _team_of(tenant: str) -> str:
    return f"T{tenant.upper()}"


def _channel_of(tenant: str, code: str) -> str:
    return f"C{tenant.upper()}{CHANNELS.index(code)}"


def _tenants_file() -> str:
    lines = ["tenants:"]
    for tenant in TENANTS:
        lines += [f"  {tenant}:", f"    workspaces: {{main: {{team_id: {_team_of(tenant)}}}}}"]
        lines += ["    channels:"]
        lines += [
            f"      {code}: {{workspace: main, id: {_channel_of(tenant, code)}}}"
            for code in CHANNELS
        ]
        lines += [f'    templates: {{{TEMPLATE}: {{text: "Hello, ref {{{{ ref }}}}"}}}}']
    return "\n".join(lines)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / SECOND_MS:g}"
