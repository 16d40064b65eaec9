"""Everything that the demo runs, as processes of its own that end with it.

A Valkey that keeps every write, the Slack stand-in, and `postonce up`: a projector and two workers,
started again when they die.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import SECOND_MS, Timing
from sandbox.demo.errors import ProcessEnded
from sandbox.demo.installations import install
from sandbox.servers import HOST, ValkeyProcess, free_port
from sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sandbox.demo.interruptions import Interruptions

WORKERS = 2
_THREADS = 8
# So many deliveries are on their way at any moment that a kill must hit some.
_SLOW_MS = 150
# As short as the contract allows with a POST that may take a second: recovery is seen in seconds.
TIMING = Timing(
    post_deadline_ms=1 * SECOND_MS,
    lease_ms=6 * SECOND_MS,
    settle_delay_ms=2 * SECOND_MS,
    dispatch_window_ms=5 * SECOND_MS,
)
_START_S = 20.0
# The second signal tells the supervisor not to let its workers finish: nobody will read it.
_STOP_S = (1.0, 5.0)
_LOG_TAIL = 2_000
_WORKER_STARTED = re.compile(r"worker \d+ started")
_ANSWER_S = 5.0


class Stage:
    """`directory` gets the logs, Valkey's data and a token for each of `teams`."""

    def __init__(self, directory: Path, *, teams: Iterable[str]) -> None:
        self.directory = directory
        self._teams = tuple(teams)
        self._valkey = ValkeyProcess(
            data_dir=directory / "valkey", appendonly=True, appendfsync="always"
        )
        self._slack_root = f"http://{HOST}:{free_port()}"
        self.ledger = Ledger(Store(self._valkey.url), Keys(), TIMING)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def page_url(self) -> str:
        return f"{self._slack_root}/"

    @property
    def environment(self) -> Mapping[str, str]:
        """What `postonce` needs to know of this stage."""
        return {
            "POSTONCE_REDIS_URL": self._valkey.url,
            "POSTONCE_SLACK_URL": f"{self._slack_root}/api/",
            "POSTONCE_POST_DEADLINE_S": _seconds(TIMING.post_deadline_ms),
            "POSTONCE_LEASE_S": _seconds(TIMING.lease_ms),
            "POSTONCE_SETTLE_DELAY_S": _seconds(TIMING.settle_delay_ms),
            "POSTONCE_DISPATCH_WINDOW_S": _seconds(TIMING.dispatch_window_ms),
            "POSTONCE_INSTALLATIONS": f"file://{self._installations}",
        }

    @property
    def _installations(self) -> Path:
        return self.directory / "installations"

    @property
    def exports(self) -> str:
        """Lines for a shell."""
        return "\n".join(
            f"export {name}={shlex.quote(value)}" for name, value in self.environment.items()
        )

    @contextmanager
    def running(self, interruptions: Interruptions) -> Iterator[None]:
        """Afterwards nothing of it runs. Raises ProcessEnded and ServerDidNotStart."""
        with ExitStack() as started:
            started.callback(self.ledger.store.close)
            install(self._installations, self._teams)
            with interruptions.deferred():
                started.enter_context(self._valkey)
            port = self._slack_root.rpartition(":")[2]
            stand_in = (sys.executable, "-m", "sandbox", "--port", port)
            supervisor = (_postonce(), "up", "--workers", str(WORKERS), "--threads", str(_THREADS))
            for name, command in {
                "sandbox": (*stand_in, "--slow-ms", str(_SLOW_MS)),
                "postonce-up": supervisor,
            }.items():
                with interruptions.deferred():
                    self._processes[name] = self._start(name, command)
                    started.callback(_stop, self._processes[name])
            started.callback(interruptions.ignore)
            wait_until(self._stand_in_answers, description="Slack answers", timeout_s=_START_S)
            yield

    def posts(self) -> list[dict[str, Any]]:
        """Every message that the stand-in holds."""
        found: list[dict[str, Any]] = self._asked("/sandbox/posts")["posts"]
        return found

    def starts(self) -> int:
        """How many workers the supervisor says that it has started so far."""
        return len(_WORKER_STARTED.findall(self._log("postonce-up").read_text(errors="replace")))

    def check(self) -> None:
        """Raise ProcessEnded if something ended that should run."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                tail = self._log(name).read_text(errors="replace")[-_LOG_TAIL:]
                raise ProcessEnded(name, exit_code=process.returncode, log=tail)

    def _start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        foreign = ("POSTONCE_", "SLACK_", "DRAMATIQ_", "dramatiq_")
        own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        with self._log(name).open("wb") as log:
            # A process group of its own: Ctrl-C reaches the demo, and the demo ends the rest.
            return subprocess.Popen(
                command,
                env={**own, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def _log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def _stand_in_answers(self) -> bool:
        self.check()
        try:
            return bool(self._asked("/sandbox/health")["ok"])
        except urllib.error.URLError:
            return False

    def _asked(self, path: str) -> Any:  # noqa: ANN401 - JSON
        # Past a proxy, if the environment names one: it is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self._slack_root + path, timeout=_ANSWER_S) as answer:
            return json.load(answer)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for patience_s in _STOP_S:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience_s)
            return
    process.kill()
    process.wait()


def _postonce() -> str:
    return str(Path(sys.executable).with_name("postonce"))


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / SECOND_MS:g}"
