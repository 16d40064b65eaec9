"""Ways in which a store loses what it had answered, or does not, while messages are being sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.servers import ValkeyProcess
from tests.power_loss import ONE_FILE, PowerLoss
from tests.replicated_valkey import ReplicatedValkey
from tests.system.epochless import without_epochs
from tests.system.processes import Installation
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# How far behind a replica is when it takes over: some of everything is written meanwhile.
LAG_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`epochs`: rule 8 of the design holds; `wait_replicas` as in the settings."""

    epochs: bool = True
    wait_replicas: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """`strike` returns when clients find a store again that they can write to; what was written
    before `keep` returned is not among what it loses.
    """

    installation: Installation
    strike: Callable[[], None]
    keep: Callable[[], None] = lambda: None


# `Path` is for logs.
Kind = Callable[["Path", Rules], AbstractContextManager[Scene]]


@contextmanager
def restart(directory: Path, rules: Rules) -> Iterator[Scene]:
    """A server that keeps each write before it answers dies and comes back: nothing is lost."""
    store = ValkeyProcess(appendonly=True, appendfsync="always")

    def strike() -> None:
        store.kill()
        store.start()

    with _installation(directory, rules, store) as installation:
        yield Scene(installation, strike)


@contextmanager
def power_loss(directory: Path, rules: Rules) -> Iterator[Scene]:
    """A server has its writes kept once a second (`everysec`), and loses the last one."""
    store = ValkeyProcess(appendonly=True, appendfsync="everysec", config=ONE_FILE)
    with _installation(directory, rules, store) as installation, PowerLoss(store) as watched:

        def strike() -> None:
            assert watched.strike() > 0, "nothing was lost"
            store.start()

        yield Scene(installation, strike, keep=watched.wait_until_kept)


@contextmanager
def promotion(directory: Path, rules: Rules) -> Iterator[Scene]:
    """A server dies and its replica, which lags behind, takes over, with a replica of its own."""
    with ReplicatedValkey() as replicated:

        def strike() -> None:
            replicated.hold_back()
            behind_s = time.monotonic() + LAG_S
            wait_until(lambda: time.monotonic() > behind_s, description="the replica lags behind")
            replicated.fail_over()
            replicated.follow_again()

        store, url = replicated.primary, replicated.url
        with _installation(directory, rules, store, url=url) as installation:
            yield Scene(installation, strike)


@contextmanager
def split_brain(directory: Path, rules: Rules) -> Iterator[Scene]:
    """A replica takes over from a server that lives on, for one worker that reaches only that."""
    with ReplicatedValkey() as replicated:

        def strike() -> None:
            replicated.fail_over(is_alive=True)
            replicated.follow_again()

        store, url = replicated.primary, replicated.url
        with _installation(directory, rules, store, url=url) as installation:
            installation.ready_worker(POSTONCE_REDIS_URL=store.url)
            yield Scene(installation, strike)


@contextmanager
def _installation(
    directory: Path, rules: Rules, store: ValkeyProcess, *, url: str | None = None
) -> Iterator[Installation]:
    made = Installation(
        directory,
        store=store,
        url=url,
        app="actors.app" if rules.epochs else "tests.system.epochless_app",
        wait_replicas=rules.wait_replicas,
    )
    if not rules.epochs:
        made.ledger = without_epochs(made.ledger)
    with made as installation:
        yield installation.start_store()
