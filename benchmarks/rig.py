"""The processes that a benchmark runs: a Valkey, the sink, and the system under test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from sandbox.servers import Fsync, ValkeyProcess, free_port
from sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

PROJECT = Path(__file__).resolve().parent.parent
_STOP_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Rig:
    """One run's servers; `environment` points every process at them."""

    valkey: ValkeyProcess
    sink_url: str
    environment: dict[str, str]

    @property
    def client(self) -> redis.Redis:
        return self.valkey.client()

    def arrived(self) -> int:
        with urlopen(f"{self.sink_url}count") as answer:  # noqa: S310 - its own sink
            return int(json.load(answer)["count"])

    def wait_for_arrivals(self, count: int, *, timeout_s: float) -> dict[str, float]:
        """When each of so many arrived, by its reference. Raises TimeoutError."""
        wait_until(
            lambda: self.arrived() >= count,
            description=f"{count} posts arrived",
            timeout_s=timeout_s,
        )
        with urlopen(f"{self.sink_url}arrivals") as answer:  # noqa: S310 - its own sink
            arrivals: dict[str, float] = json.load(answer)["arrivals"]
        return arrivals

    def forget_arrivals(self) -> None:
        request = Request(f"{self.sink_url}arrivals", method="DELETE")  # noqa: S310 - its own sink
        urlopen(request).close()  # noqa: S310 - its own sink

    @contextmanager
    def running(self, *command: str) -> Iterator[None]:
        """A process that is ended with SIGTERM, as a supervisor would."""
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Ports:
    """The same in every round, so that clients of an earlier one find the next server."""

    valkey: int
    sink: int


def choose_ports() -> Ports:
    return Ports(free_port(), free_port())


@contextmanager
def rig(ports: Ports, appendfsync: Fsync) -> Iterator[Rig]:
    """Fresh servers on these ports."""
    sink_url = f"http://127.0.0.1:{ports.sink}/"
    with ExitStack() as stack:
        valkey = stack.enter_context(
            ValkeyProcess(port=ports.valkey, appendonly=True, appendfsync=appendfsync)
        )
        environment = os.environ | {
            "POSTONCE_REDIS_URL": valkey.url,
            "POSTONCE_SLACK_URL": f"{sink_url}api/",
            "SLACK_BOT_TOKEN": "xoxb-benchmark",
        }
        os.environ.update(environment)
        built = Rig(valkey, sink_url, environment)
        stack.enter_context(built.running("benchmarks.sink", str(ports.sink)))
        wait_until(lambda: _answers(built), description="the sink answers", timeout_s=10)
        yield built


def _answers(built: Rig) -> bool:
    try:
        built.arrived()
    except OSError:
        return False
    return True
