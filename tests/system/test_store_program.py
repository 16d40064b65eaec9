from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import redis

from middleware.admission import check_store
from middleware.keys import Keys
from middleware.store import Store
from sandbox.servers import free_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def test_the_store_to_try_things_with_is_set_up_as_production_should_be(tmp_path: Path) -> None:
    # Given
    port = free_port()
    command = [sys.executable, "-m", "sandbox.store", "--port", str(port), "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        store = Store(f"redis://127.0.0.1:{port}/0")
        wait_until(lambda: _answers(store), description="the store answers", timeout_s=20)

        # When
        findings = check_store(store, Keys())
        store.close()
        process.send_signal(signal.SIGTERM)

        # Then
        assert {finding.severity for finding in findings} == {"good"}
        assert process.wait(10) == 0


def _answers(store: Store) -> bool:
    try:
        return bool(store.client.ping())
    except redis.RedisError:
        return False
