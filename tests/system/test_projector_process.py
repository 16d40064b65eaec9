from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from projector.stats import stats
from tests.redis.projector.asking import ask, post
from tests.redis.projector.open_views import forget_open_views
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from sandbox.servers import ValkeyProcess

APP = "tests.system.projector_app"


@pytest.fixture
def ledger(valkey: ValkeyProcess, client: redis.Redis, prefix: str) -> Iterator[Ledger]:
    store = Store(valkey.url)
    yield Ledger(store, Keys(prefix, partitions=2), Timing())
    store.close()
    forget_open_views(client, prefix)


@contextmanager
def projector_process(ledger: Ledger) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "projector", "--app", APP],
        env={
            **os.environ,
            "POSTONCE_REDIS_URL": ledger.store.url,
            "POSTONCE_PREFIX": ledger.keys.prefix,
            "POSTONCE_PARTITIONS": str(ledger.keys.partitions),
        },
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def held(client: redis.Redis, ledger: Ledger) -> int:
    return int(client.exists(*(ledger.keys.lease(partition) for partition in range(2))))


def is_folded(ledger: Ledger) -> bool:
    return stats(ledger).projector_lag == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_process_projects_until_it_is_told_to_stop_and_releases_what_it_holds(
    ledger: Ledger, client: redis.Redis, stop: signal.Signals
) -> None:
    # Given
    delivery = ask(ledger)
    with projector_process(ledger) as process:
        wait_until(partial(is_folded, ledger), description="it is folded", timeout_s=20)
        post(ledger, delivery)
        wait_until(partial(is_folded, ledger), description="the outcome is folded")

        # When
        process.send_signal(stop)
        exit_code = process.wait(timeout=10)

    # Then
    assert exit_code == 0
    assert held(client, ledger) == 0
    assert client.hlen(f"{ledger.keys.prefix}-queue:slack.msgs") == 1


def test_the_partitions_of_a_killed_process_are_taken_over(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    with projector_process(ledger) as first:
        wait_until(lambda: held(client, ledger) == 2, description="it holds both", timeout_s=20)
        first.kill()
        post(ledger, ask(ledger))

        # When
        with projector_process(ledger):
            wait_until(partial(is_folded, ledger), description="it is folded", timeout_s=30)

    # Then
    assert client.zrange(ledger.keys.listed("acme", "sent", 0), 0, -1) == ["r1"]


@pytest.mark.parametrize(
    ("app", "environment", "named"),
    [
        ("no.such.module", {}, "no"),
        (APP, {"POSTONCE_LEASE_S": "never"}, "POSTONCE_LEASE_S"),
        ("projector", {}, "send_message"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(
    valkey: ValkeyProcess, app: str, environment: dict[str, str], named: str
) -> None:
    # Given
    settings = {"POSTONCE_REDIS_URL": valkey.url, "POSTONCE_PREFIX": "unused", **environment}

    # When
    ended = subprocess.run(
        [sys.executable, "-m", "projector", "--app", app],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    # Then
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert named in line
