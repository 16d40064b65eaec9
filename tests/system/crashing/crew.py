"""The processes of one run, each behind doors of its role, as a supervisor keeps them.

One that was killed is started again; one that ends by itself is not, and is told of.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.servers import HOST
from tests.system.crashing.doors import Door, SlackDoor, StoreDoor
from tests.system.crashing.effects import ROLES
from tests.system.crashing.points import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.system.crashing.effects import Role
    from tests.system.crashing.points import Strike
    from tests.system.crashing.role_process import RoleProcess
    from tests.system.crashing.stage import Stage


class Crew:
    """Nothing runs until it is started. `environment` is that of all, but for the addresses."""

    def __init__(
        self,
        stage: Stage,
        *,
        name: str,
        environment: Mapping[str, str],
        strikes: Sequence[Strike],
    ) -> None:
        self.watch = Watch(strikes, kill=self._kill)
        self.notices: list[str] = []
        self._stage = stage
        self._name = name
        self._environment = environment
        self._running: dict[Role, RoleProcess] = {}
        self._stores: dict[Role, Door] = {
            role: StoreDoor(role, server_port=stage.store.port, namer=stage.namer, watch=self.watch)
            for role in ROLES
        }
        self._slack: dict[Role, SlackDoor] = {
            role: SlackDoor(role, server_port=stage.slack_port, namer=stage.namer, watch=self.watch)
            for role in ROLES
        }

    @property
    def doors(self) -> list[Door]:
        return [*self._stores.values(), *self._slack.values()]

    @property
    def log_files(self) -> list[Path]:
        return [path for role in ROLES if (path := self._log_file(role)).exists()]

    def open(self) -> None:
        for door in self.doors:
            self._stage.on_loop(door.open())

    def close(self) -> None:
        """Nothing runs any more."""
        for process in self._running.values():
            process.close()
        self._running.clear()
        for door in self.doors:
            self._stage.on_loop(door.close())

    def start(self, *roles: Role, **others: str) -> None:
        """`others` is more of their environment, until they are started again."""
        for role in roles:
            environment = {
                **self._environment,
                "POSTONCE_REDIS_URL": f"redis://{HOST}:{self._stores[role].port}/0",
                "POSTONCE_SLACK_URL": f"http://{HOST}:{self._slack[role].port}/api/",
                **others,
            }
            self.watch.starts(role)
            self._running[role] = self._stage.forker.start(
                role, environment=environment, log_file=self._log_file(role)
            )

    def revive(self) -> None:
        """Start again whoever was killed."""
        for role, process in list(self._running.items()):
            if process.is_running:
                continue
            process.close()
            if process.was_killed:
                self.start(role)
            else:
                del self._running[role]
                self.notices.append(f"the {role} ended by itself")

    def tell(self, **order: object) -> str:
        """What came of it, by one service process after the other, until that is known."""
        while True:
            if "service" not in self._running:
                self.start("service")
            if answer := self._running["service"].tell(**order):
                return answer
            self.revive()

    def tell_to_stop(self, role: Role) -> None:
        self._running[role].tell_to_stop()

    def stop(self, role: Role) -> None:
        """As an operator does; return when it has finished what it was at."""
        self.tell_to_stop(role)
        process = self._running[role]
        process.wait()
        process.close()
        del self._running[role]

    @contextmanager
    def slack_waiting(self) -> Iterator[None]:
        """What a worker has on its way to Slack arrives there only afterwards."""
        door = self._slack["worker"]
        self._stage.on_loop(door.hold_up())
        try:
            yield
        finally:
            self._stage.on_loop(door.let_on())

    def _log_file(self, role: Role) -> Path:
        return self._stage.directory / f"{self._name}-{role}.log"

    def _kill(self, role: Role) -> None:
        """On the doors' loop: nothing that it sent since goes through."""
        self._stores[role].killed += 1
        self._slack[role].killed += 1
        self._running[role].kill()
