"""Valkey servers of one's own, on loopback only, that can be stopped, killed, paused and restarted.

A restart finds the same port and the same data directory, as a restarted machine would.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox.errors import ServerDidNotStart
from sandbox.server_program import server_program
from sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

Fsync: TypeAlias = Literal["always", "everysec", "no"]

HOST = "127.0.0.1"
# Below the ports that systems hand to outgoing connections: while a server is down its port stays
# free, and no client that keeps connecting to it can meet itself there.
_PORTS = range(20_000, 30_000)
_START_S = 10.0
# Longer than a clean shutdown of the little data that tests and demos hold.
_STOP_S = 5.0
_LOG_TAIL = 2_000


class ValkeyProcess:
    """One server process; leaving the context ends it and removes a data directory it made."""

    def __init__(
        self,
        *,
        port: int | None = None,
        data_dir: Path | None = None,
        appendonly: bool = False,
        appendfsync: Fsync = "always",
        config: Mapping[str, str] | None = None,
    ) -> None:
        """`config` holds further lines of valkey.conf, by name; they win over the others."""
        self.port = free_port() if port is None else port
        self._made_data_dir = data_dir is None
        self.data_dir = Path(tempfile.mkdtemp(prefix="postonce-")) if data_dir is None else data_dir
        self._config = {
            "appendonly": "yes" if appendonly else "no",
            "appendfsync": appendfsync,
            "maxmemory-policy": "noeviction",
            "save": "",
            **(config or {}),
            "bind": HOST,
            "port": str(self.port),
            "dir": str(self.data_dir),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    @property
    def is_running(self) -> bool:
        """True also while it is paused."""
        return self._process is not None and self._process.poll() is None

    def client(self, *, timeout_s: float = 5.0) -> redis.Redis:
        """A new client that repeats nothing by itself; the caller closes it."""
        return redis.Redis(
            host=HOST,
            port=self.port,
            decode_responses=True,
            socket_timeout=timeout_s,
            socket_connect_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
        )

    def start(self) -> Self:
        """Return when it answers; raises NoServerProgram or ServerDidNotStart."""
        if self.is_running:
            return self
        self.data_dir.mkdir(parents=True, exist_ok=True)
        options = [word for name, value in self._config.items() for word in (f"--{name}", value)]
        with self._log.open("ab") as log:
            # A process group of its own: Ctrl-C reaches the demo, and the demo ends its servers.
            self._process = subprocess.Popen(
                [server_program(), *options], stdout=log, stderr=log, process_group=0
            )
        try:
            wait_until(
                self._answers_or_ended,
                description=f"the server on port {self.port} answers",
                timeout_s=_START_S,
            )
        except TimeoutError as error:
            self.kill()
            raise ServerDidNotStart(port=self.port, log=self._last_words()) from error
        if not self.is_running:
            raise ServerDidNotStart(port=self.port, log=self._last_words())
        return self

    def stop(self) -> None:
        """End it as an operator would, so that it can write what it has."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it as a crash would: nothing more is written."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Connections stay open and nothing is answered until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop it and remove its data directory, unless that was given."""
        self.stop()
        if self._made_data_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _log(self) -> Path:
        return self.data_dir / "server.log"

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        self._process.send_signal(number)

    def _answers_or_ended(self) -> bool:
        client = self.client()
        try:
            return bool(client.ping())
        except redis.RedisError:
            # Not listening yet, or still reading its data.
            return not self.is_running
        finally:
            client.close()

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-_LOG_TAIL:]


def free_port() -> int:
    """A loopback port where nothing listens."""
    while True:
        # Not from `random`, which a test run may seed alike for each test and process.
        port = secrets.choice(_PORTS)
        if _is_free(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
