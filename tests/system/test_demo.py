"""The demo as `make demo` runs it, from a terminal that nobody watches."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
# Most of it is waiting for a lease; on a machine that is busy it has taken a minute.
LIMIT_S = 110


class Demo:
    """A run, with what it has printed so far."""

    def __init__(self, process: subprocess.Popen[bytes], directory: Path) -> None:
        self.process = process
        self._directory = directory

    @property
    def printed(self) -> str:
        return (self._directory / "printed").read_text()

    def wait_for(self, text: str) -> None:
        wait_until(
            lambda: text in self.printed or self.process.poll() is not None,
            description=f"the demo prints {text!r}",
            timeout_s=LIMIT_S,
        )
        assert text in self.printed, self.printed

    def processes(self) -> set[int]:
        """The supervisor's children and theirs, as its log names them."""
        log = next(self._directory.glob("postonce-demo-*/postonce-up.log")).read_text()
        return {
            int(pid) for pid in re.findall(r"\bpid (\d+)|\[PID (\d+)\]", log) for pid in pid if pid
        }

    def left_behind(self) -> list[str]:
        return [path.name for path in self._directory.glob("postonce-demo-*")]


@contextmanager
def running(tmp_path: Path, **environment: str) -> Iterator[Demo]:
    with (tmp_path / "printed").open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "sandbox.demo"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path), **environment},
            stdout=printed,
            stderr=printed,
        )
    try:
        yield Demo(process, tmp_path)
    finally:
        # Once more would change nothing: it is clearing up.
        process.terminate()
        process.wait()


def rows(printed: str) -> dict[str, float]:
    found = re.findall(r"^(\w+) +([\d.]+) *$", printed, re.MULTILINE)
    return {name: float(number) for name, number in found}


def wait_for_the_end_of(pids: set[int]) -> None:
    """Init may take a moment to notice that the last ones have died."""
    wait_until(
        lambda: not any(lives(pid) for pid in pids),
        description=f"the processes {sorted(pids)} are gone",
    )


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.timeout(2 * LIMIT_S)
def test_the_demo_doubles_and_loses_nothing_and_ends_what_it_started(tmp_path: Path) -> None:
    with running(tmp_path, KEEP="1") as demo:
        # Given
        demo.wait_for(" explain ")
        shown = rows(demo.printed)
        pids = demo.processes()
        exports = dict(re.findall(r"^export (\w+)=(\S+)$", demo.printed, re.MULTILINE))
        (page,) = re.findall(r"The page: (\S+)", demo.printed)
        (explain,) = re.findall(r"^(\S+postonce explain .+)$", demo.printed, re.MULTILINE)
        with urlopen(page, timeout=5):  # noqa: S310 - it is on this machine
            pass
        explained = subprocess.run(
            explain.split(),
            env={**os.environ, **exports},
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )

        # When
        demo.process.send_signal(signal.SIGINT)
        exit_code = demo.process.wait(timeout=30)

    # Then
    assert exit_code == 0, demo.printed
    assert (shown["requested"], shown["accepted"], shown["duplicates"]) == (366, 183, 183)
    assert {shown[name] for name in ("doubled", "lost", "rejected", "open", "unproven")} == {0}
    assert shown["posted"] == 183
    assert "were found in Slack's history" in demo.printed
    assert "sending" in explained.stdout
    assert "looking" in explained.stdout
    wait_for_the_end_of(pids)
    assert demo.left_behind() == []
    with pytest.raises(URLError):
        urlopen(page, timeout=5)  # noqa: S310 - as above


@pytest.mark.timeout(LIMIT_S)
def test_stopped_halfway_it_leaves_nothing_running(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        # Given
        demo.wait_for("requests are made")
        pids = wait_until(demo.processes, description="workers have started", timeout_s=30)

        # When
        demo.process.send_signal(signal.SIGTERM)
        exit_code = demo.process.wait(timeout=30)

    # Then
    assert exit_code == 128 + signal.SIGTERM
    wait_for_the_end_of(pids)
    assert demo.left_behind() == []
