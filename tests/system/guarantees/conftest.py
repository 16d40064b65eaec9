"""Systems for a test of one guarantee: in this process, or in processes that may be killed."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.keyspace import remove_keys
from tests.lossy_proxy import LossyProxy
from tests.system.guarantees.small_system import SmallSystem
from tests.system.processes import Installation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import redis

    from sandbox.servers import ValkeyProcess


@pytest.fixture
def way(valkey: ValkeyProcess) -> Iterator[LossyProxy]:
    """A way to the server that a test may break."""
    with LossyProxy(valkey.port) as lossy:
        yield lossy


@pytest.fixture
def make_system(
    valkey: ValkeyProcess,
    client: redis.Redis,
    way: LossyProxy,  # noqa: ARG001 - it must outlast what goes that way
) -> Iterator[Callable[..., SmallSystem]]:
    """`make_system(lease_ms=60_000)`: nothing of it runs until it is started."""
    prefixes: list[str] = []
    with ExitStack() as made:

        def make(*, store_url: str = valkey.url, **options: Any) -> SmallSystem:  # noqa: ANN401 - SmallSystem's
            prefixes.append(f"g{secrets.token_hex(6)}")
            return made.enter_context(SmallSystem(store_url, prefixes[-1], **options))

        yield make
    for prefix in prefixes:
        remove_keys(client, prefix)


@pytest.fixture
def system(make_system: Callable[..., SmallSystem]) -> SmallSystem:
    """With nothing running yet."""
    return make_system()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Real processes, none of which runs yet but the store.

    What no projector dispatches the sweeper of a worker does, soon.
    """
    with Installation(tmp_path, dispatch_window_s=0.3) as made:
        yield made.start_store()
