"""The points of a delivery at which the outside world may interfere with its worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from threading import Event
from typing import TYPE_CHECKING, Any, Literal

from actors.slack.gateway import SlackGateway
from tests.waiting import wait_in_loop_until, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.slack.message import AuthorizedMessage, SlackMessage
    from middleware.fates import NotNow, PostAnswer
    from middleware.post_by import PostBy

# Claimed and not intended; intended and not posted; posted and not recorded.
Point = Literal["claimed", "intended", "posted"]
AtPoint = Callable[[Point], Awaitable[None]]

# What a worker writes to its log before it interrupts itself.
SAYS_SO = "interrupts itself"

_HELD_S = 20.0


class PointedGateway(SlackGateway):
    """The gateway, which tells `at` where each delivery is."""

    def __init__(self, at: AtPoint | None, **options: Any) -> None:  # noqa: ANN401 - the gateway's
        super().__init__(**options)
        self._at = at

    async def authorize(self, team_id: str, message: SlackMessage) -> AuthorizedMessage | NotNow:
        await self._tell("claimed")
        return await super().authorize(team_id, message)

    async def post(
        self, target: Mapping[str, str], authorized: AuthorizedMessage, post_by: PostBy
    ) -> PostAnswer:
        await self._tell("intended")
        answer = await super().post(target, authorized, post_by)
        await self._tell("posted")
        return answer

    async def _tell(self, point: Point) -> None:
        if self._at is not None:
            await self._at(point)


class Gate:
    """Holds up the first delivery that comes to the point, until it is opened."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._reached = Event()
        self._opened = Event()

    async def __call__(self, point: Point) -> None:
        if point != self._point or self._reached.is_set():
            return
        self._reached.set()
        await wait_in_loop_until(
            self._opened.is_set, description="the gate is opened", timeout_s=_HELD_S
        )

    def wait_for_one(self) -> None:
        wait_until(
            self._reached.is_set,
            description=f"a worker has {self._point} it and is held up",
            timeout_s=_HELD_S,
        )

    def open(self) -> None:
        self._opened.set()
