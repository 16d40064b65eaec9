"""One real server for a session, a namespace for each test, and nothing immortal left in it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import hypothesis
import pytest

from sandbox.cluster import ThreeNodeCluster
from sandbox.servers import ValkeyProcess
from tests.keyspace import immortal_keys, remove_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

# An example that is slow because the machine is busy has not failed; pytest-timeout has the limit.
hypothesis.settings.register_profile("postonce", deadline=None)
hypothesis.settings.load_profile("postonce")


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyProcess]:
    """The session's server: without persistence, and not to be stopped, paused or flushed."""
    with ValkeyProcess() as server:
        yield server


@pytest.fixture(scope="session")
def cluster() -> Iterator[ThreeNodeCluster]:
    """The session's cluster, to be treated like the server; the namespace is not swept here."""
    with ThreeNodeCluster() as nodes:
        yield nodes


@pytest.fixture
def client(valkey: ValkeyProcess) -> Iterator[redis.Redis]:
    with valkey.client() as connected:
        yield connected


@pytest.fixture
def prefix(client: redis.Redis) -> Iterator[str]:
    """A namespace of the test's own; it fails the test that leaves a key which never expires."""
    namespace = f"t{secrets.token_hex(6)}"
    yield namespace
    immortal = immortal_keys(client, namespace)
    remove_keys(client, namespace)
    assert not immortal, f"keys without expiry: {immortal}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests measured is worth reading although they passed."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(str(value))
