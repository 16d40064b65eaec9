"""A primary and its replica under one address, which a failover hands over as a proxy would.

Replication is asynchronous: what the primary has answered may not be on the replica yet. Pausing a
replica loses nothing, since the kernel keeps for it what was sent; so its link is held back.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from sandbox.servers import HOST, ValkeyProcess
from tests.lossy_proxy import LossyProxy
from tests.waiting import wait_until

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_SYNC_S = 20.0


class ReplicatedValkey:
    """Both keep every write that they get, so what is lost is lost between them."""

    def __init__(self) -> None:
        self.primary, self.replica, self._spare = (
            ValkeyProcess(
                appendonly=True, appendfsync="always", config={"repl-diskless-sync-delay": "0"}
            )
            for _ in range(3)
        )
        self._link = LossyProxy(self.primary.port)
        self._way = LossyProxy(self.primary.port)
        self._closing = ExitStack()

    @property
    def url(self) -> str:
        """Leads to whoever is the primary."""
        return self._way.url

    def hold_back(self) -> None:
        """From now on the replica gets nothing, and does not know it."""
        self._link.stall()

    def catch_up(self) -> None:
        """What was held back reaches the replica."""
        self._link.flow()

    def fail_over(self, *, is_alive: bool = False) -> None:
        """Promote the replica, and lead everybody there; what was held back is lost.

        The primary dies before, or lives on (`is_alive`) for those who have its own address.
        """
        if not is_alive:
            self.primary.kill()
        self._link.down()
        with self.replica.client() as client:
            client.replicaof("NO", "ONE")
        self._way.down()
        self._way.lead_to(self.replica.port)
        self._way.up()

    def follow_again(self) -> None:
        """Another replica follows the one that was promoted."""
        self._closing.enter_context(self._spare)
        _follow(self._spare, self.replica.port)

    def __enter__(self) -> Self:
        try:
            for each in (self.primary, self.replica, self._link, self._way):
                self._closing.enter_context(each)
            _follow(self.replica, self._link.port)
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.close()


def _follow(replica: ValkeyProcess, port: int) -> None:
    """Return when it has all that the primary has had until now."""
    with replica.client() as client:
        client.replicaof(HOST, str(port))
        wait_until(
            lambda: client.info("replication")["master_link_status"] == "up",
            description=f"port {replica.port} follows port {port}",
            timeout_s=_SYNC_S,
        )
