"""The command line on the session's server, in this process: what it said and how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from dramatiq.brokers.stub import StubBroker

from actors.cli import run
from middleware.dispatch_once import DispatchOnce
from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from tests.redis.projector.guarding import declare_actor
from tests.redis.projector.open_views import forget_open_views
from tests.redis.projector.test_projecting import project_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import redis

    from sandbox.servers import ValkeyProcess

PARTITIONS = 2


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Its output, one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def ledger(valkey: ValkeyProcess, client: redis.Redis, prefix: str) -> Iterator[Ledger]:
    """What the command line works on, as the environment of `cli` says."""
    store = Store(valkey.url)
    yield Ledger(store, Keys(prefix, partitions=PARTITIONS), Timing())
    store.close()
    forget_open_views(client, prefix)


@pytest.fixture
def cli(
    ledger: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    monkeypatch.setenv("POSTONCE_REDIS_URL", ledger.store.url)
    monkeypatch.setenv("POSTONCE_PREFIX", ledger.keys.prefix)
    monkeypatch.setenv("POSTONCE_PARTITIONS", str(ledger.keys.partitions))

    def ran(*arguments: str | Path) -> Ended:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return ran


@pytest.fixture
def fold(ledger: Ledger) -> Callable[[], None]:
    """Folds all events there are, as a projector would."""

    def folded() -> None:
        broker = StubBroker(middleware=[DispatchOnce(ledger)])
        declare_actor(broker)
        project_all(ledger, broker)

    return folded


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is for a person with a plain terminal of 80 columns."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "dumb")
