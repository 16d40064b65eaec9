from __future__ import annotations

import os
import signal
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from middleware.keys import Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import Timing
from projector.configuration import Channel, Template, TenantConfiguration, Workspace
from projector.configure import configure
from projector.status import read_status
from sandbox.servers import free_port
from sandbox.slack import SlackSandbox
from tests.keyspace import remove_keys
from tests.redis.projector.asking import ask
from tests.redis.projector.open_views import forget_open_views
from tests.system.program import END_S, Program, running, wait_until_gone
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from sandbox.servers import ValkeyProcess

CLI = "actors.cli"
READY = "(Worker process is ready for action)"
ACME = TenantConfiguration(
    workspaces={"main": Workspace(team_id="T1")},
    channels={"ops": Channel(workspace="main", id="C1")},
    templates={"alert": Template(text="{{ host }} is down")},
)


@pytest.fixture
def ledger(valkey: ValkeyProcess, client: redis.Redis, prefix: str) -> Iterator[Ledger]:
    """With a tenant that may post; what the queue left is swept."""
    with closing(Store(valkey.url)) as store:
        made = Ledger(store, Keys(prefix, partitions=2), Timing())
        configure(made, {"acme": ACME})
        yield made
    forget_open_views(client, prefix)
    remove_keys(client, f"{prefix}:{{queue}}")


@pytest.fixture
def slack() -> Iterator[SlackSandbox]:
    with SlackSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def environment(ledger: Ledger, slack: SlackSandbox) -> dict[str, str]:
    return {
        "POSTONCE_REDIS_URL": ledger.store.url,
        "POSTONCE_PREFIX": ledger.keys.prefix,
        "POSTONCE_PARTITIONS": str(ledger.keys.partitions),
        "POSTONCE_SLACK_URL": slack.url,
        "SLACK_BOT_TOKEN": "xoxb-T1",
    }


@pytest.fixture
def up(environment: dict[str, str], tmp_path: Path) -> Iterator[Program]:
    """Working: its projector and its worker are ready."""
    with running(CLI, "up", log=tmp_path / "log", environment=environment) as program:
        program.wait_for("(projecting 2 partitions)")
        program.wait_for(READY)
        yield program


def wait_until_sent(ledger: Ledger, message_request_id: str) -> None:
    def is_sent() -> bool:
        status = read_status(ledger, "acme", message_request_id)
        return status is not None and status.status == "sent"

    wait_until(is_sent, description=f"{message_request_id} is sent", timeout_s=END_S)


def test_a_killed_worker_is_replaced_and_what_is_requested_then_is_posted(
    up: Program, ledger: Ledger, slack: SlackSandbox
) -> None:
    # Given
    killed = up.started("worker 1")

    # When
    os.kill(killed, signal.SIGKILL)
    up.started("worker 1", times=2)
    ask(ledger)

    # Then
    wait_until_gone(killed)
    wait_until_sent(ledger, "r1")
    assert [post.text for post in slack.posts] == ["db-1 is down"]


def test_sigterm_stops_all_of_it_and_none_is_left(
    up: Program, ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    children = [up.started("projector"), up.started("worker 1")]

    # When
    up.send(signal.SIGTERM)

    # Then
    assert up.wait() == 0
    wait_until_gone(*children)
    assert "Traceback" not in up.log
    assert not client.exists(ledger.keys.lease(0), ledger.keys.lease(1))


def test_a_killed_supervisor_leaves_nothing_behind(up: Program) -> None:
    # Given
    children = [up.started("projector"), up.started("worker 1")]

    # When
    up.send(signal.SIGKILL)
    up.wait()

    # Then
    wait_until_gone(*children)


def test_a_store_that_is_down_is_waited_for(environment: dict[str, str], tmp_path: Path) -> None:
    # Given
    down = {"POSTONCE_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}

    # When
    log = tmp_path / "log"
    with running(CLI, "up", log=log, environment=environment | down) as program:
        program.wait_for("(projecting 2 partitions)")
        program.wait_for(READY)
        program.send(signal.SIGTERM)

        # Then
        assert program.wait() == 0
        assert "starting it again" not in program.log


def test_the_projector_alone_projects_until_it_is_interrupted(
    environment: dict[str, str], tmp_path: Path
) -> None:
    # Given
    log = tmp_path / "log"
    with running(CLI, "projector", log=log, environment=environment) as program:
        program.wait_for("(projecting 2 partitions)")

        # When
        program.send(signal.SIGINT)

        # Then
        assert program.wait() == 0
        assert "Traceback" not in program.log
