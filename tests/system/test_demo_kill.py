from __future__ import annotations

import signal
import subprocess
import sys
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from actors.slack.installations import Installations
from middleware.keys import Delivery
from middleware.ledger import Acceptance
from middleware.stub_ledger import StubLedger
from sandbox.demo.errors import NothingWasSending
from sandbox.demo.installations import install
from sandbox.demo.kill import kill_a_sender, senders_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELIVERIES = [Delivery("acme", f"r{number}") for number in range(4)]


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that would run on; its parent, like Dramatiq's, notices when it ends."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        reaper = Thread(target=process.wait)
        reaper.start()
        yield process
        process.kill()
        reaper.join()


def claim(ledger: StubLedger, delivery: Delivery, *, pid: int, sending: bool) -> None:
    acceptance = Acceptance(fingerprint="f", marker="m", actor="a", queue="q", body="{}")
    ledger.run(ledger.accept(delivery, acceptance))
    ledger.run(ledger.claim(delivery, token=delivery.id, by=f"a.host:{pid}:77"))
    if sending:
        ledger.run(ledger.intend(delivery, token=delivery.id, target={"channel": "C1"}))


def test_the_process_that_sends_most_is_killed(worker: subprocess.Popen[bytes]) -> None:
    # Given
    ledger = StubLedger()
    claim(ledger, DELIVERIES[0], pid=worker.pid, sending=True)
    claim(ledger, DELIVERIES[1], pid=worker.pid, sending=True)
    claim(ledger, DELIVERIES[2], pid=worker.pid, sending=False)
    claim(ledger, DELIVERIES[3], pid=1, sending=True)

    # When
    kill = kill_a_sender(ledger, DELIVERIES, within_s=5.0)

    # Then
    assert worker.wait() == -signal.SIGKILL
    assert (kill.pid, kill.in_flight) == (worker.pid, frozenset(DELIVERIES[:2]))


def test_where_nothing_is_sending_nothing_is_killed(worker: subprocess.Popen[bytes]) -> None:
    # Given
    ledger = StubLedger()
    claim(ledger, DELIVERIES[0], pid=worker.pid, sending=False)

    # When
    with pytest.raises(NothingWasSending):
        kill_a_sender(ledger, DELIVERIES, within_s=0.05)

    # Then
    assert worker.poll() is None


def test_the_last_claim_tells_who_is_sending() -> None:
    # Given
    ledger = StubLedger()
    claim(ledger, DELIVERIES[0], pid=111, sending=False)
    ledger.clock.advance(ms=ledger.timing.lease_ms)
    ledger.run(ledger.claim(DELIVERIES[0], token="second", by="a.host:222:77"))
    ledger.run(ledger.intend(DELIVERIES[0], token="second", target={"channel": "C1"}))

    # When
    senders = senders_of(ledger, DELIVERIES)

    # Then
    assert senders == {DELIVERIES[0]: 222}


def test_tokens_are_laid_out_as_the_gateway_reads_them(tmp_path: Path) -> None:
    # Given
    install(tmp_path / "installations", ["T1", "T2"])

    # When
    installations = Installations(f"file://{tmp_path}/installations")

    # Then
    assert installations.token_for("T2") == "xoxb-T2-demo"
