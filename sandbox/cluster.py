"""A Redis Cluster of one's own, where a script that reaches into a second slot fails."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, cast

import redis

from sandbox.servers import HOST, ValkeyProcess, free_port
from sandbox.waiting import wait_until

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_SLOTS = 16_384
# Two seconds on an idle machine, most of it a node's own pause before it says ok.
_COMPLETE_S = 30.0


class ThreeNodeCluster:
    """Three masters and no replica: what a multi-slot command or an undeclared key breaks on."""

    def __init__(self) -> None:
        # By default a node's bus listens 10,000 above its port, where outgoing connections begin.
        self._bus_ports = tuple(free_port() for _ in range(3))
        self.nodes = tuple(
            ValkeyProcess(
                config={
                    "cluster-enabled": "yes",
                    "cluster-node-timeout": "2000",
                    "cluster-port": str(bus_port),
                }
            )
            for bus_port in self._bus_ports
        )

    @property
    def url(self) -> str:
        """In the form that the ledger's settings take for a cluster."""
        return f"redis+cluster://{HOST}:{self.nodes[0].port}"

    def client(self) -> redis.RedisCluster:
        """The caller closes it."""
        return redis.RedisCluster(
            host=HOST,
            port=self.nodes[0].port,
            decode_responses=True,
            socket_timeout=5.0,
            socket_connect_timeout=1.0,
        )

    def start(self) -> Self:
        """Return when every node knows the others and says the cluster is ok."""
        for node in self.nodes:
            node.start()
        with ExitStack() as stack:
            clients = [stack.enter_context(node.client()) for node in self.nodes]
            share = _SLOTS // len(clients) + 1
            for place, client in enumerate(clients):
                last = min((place + 1) * share, _SLOTS) - 1
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", place * share, last)
                # Equal epochs are settled by gossip, a round later than unequal ones.
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", place + 1)
            for node, bus_port in zip(self.nodes[1:], self._bus_ports[1:], strict=True):
                clients[0].execute_command("CLUSTER", "MEET", HOST, node.port, bus_port)
            for client in clients:
                wait_until(
                    partial(self._is_complete, client),
                    description="the cluster's state is ok",
                    timeout_s=_COMPLETE_S,
                )
        return self

    def close(self) -> None:
        for node in self.nodes:
            node.close()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _is_complete(self, client: redis.Redis) -> bool:
        info = cast("dict[str, str]", client.cluster("INFO"))
        known = int(info["cluster_known_nodes"])
        return info["cluster_state"] == "ok" and known == len(self.nodes)
