"""One installation for one run of a scenario: what is asked of it, and what has become of that.

Wherever it waits, processes that were killed are started again.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from actors.tenants_file import read_tenants_file
from projector.configure import configure
from projector.fold import ENDED
from projector.settings import StoreSettings
from projector.stats import stats
from tests.system.crashing.crew import Crew
from tests.system.crashing.standstill import Standstill
from tests.system.deliveries import TENANT, Deliveries
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from sandbox.slack.faults import Fault
    from sandbox.slack.posts import Post
    from tests.system.crashing.effects import Role
    from tests.system.crashing.points import Strike
    from tests.system.crashing.stage import Stage

TENANTS = """
tenants:
  {tenant}:
    workspaces: {{main: {{team_id: {team}}}}}
    channels: {{ops: {{workspace: main, id: {channel}}}}}
    templates: {{hi: {{text: "Hello {{{{ name }}}}"}}}}
"""

# The shortest that two busy cores keep; their relations are those of the timing contract. Deadline
# and settle delay are longer than a sweeper sleeps, so that a look begun too early is told apart.
TIMING: dict[str, float] = {
    "post_deadline_s": 1.0,
    "lease_s": 1.5,
    "settle_delay_s": 0.8,
    "dispatch_window_s": 1.0,
    "reconcile_limit_s": 4.0,
}
# What a role asks for when it has nothing to do.
_POLLS: dict[Role, tuple[str, ...]] = {
    "service": (),
    "projector": ("xread",),
    "worker": ("queue.fetch", "queue.fetch DQ", "due"),
}
# From the last strike to rest. Two looks that fail put off the next one by 15 s and by 30 s.
REST_S = 75.0
# A sweeper sleeps a second at most, and nobody polls less often.
_LINGER_S = 1.5


class Run(Deliveries):
    """Nothing runs until the crew is started."""

    def __init__(self, stage: Stage, strikes: Sequence[Strike]) -> None:
        number = stage.number()
        # Slack limits what is asked by team.
        self.team, self.channel = f"T{number:05}", f"C{number:05}"
        self.asked: list[str] = []
        settings: dict[str, Any] = {"prefix": f"run{number}", "partitions": 1, **TIMING}
        environment = {f"POSTONCE_{name.upper()}": str(value) for name, value in settings.items()}
        environment["SLACK_BOT_TOKEN"] = f"xoxb-{self.team}"
        ledger = StoreSettings(redis_url=stage.observers_url, **settings).ledger()
        super().__init__(ledger, stage.slack)
        self.crew = Crew(stage, name=ledger.keys.prefix, environment=environment, strikes=strikes)
        self.watch = self.crew.watch

    def __enter__(self) -> Self:
        self.crew.open()
        tenants = TENANTS.format(tenant=TENANT, team=self.team, channel=self.channel)
        configure(self.ledger, read_tenants_file(tenants))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.crew.close()
        self._forget("")
        self.ledger.store.close()

    @property
    def may_keep_messages(self) -> bool:
        """A worker that died, or whose queue did not hear it, leaves some on Dramatiq's books."""
        struck = [each for each in self.watch.struck if each.place.role == "worker"]
        return "worker" in self.watch.killed or any(each.place.client == "queue" for each in struck)

    @property
    def has_receipt_in_hand(self) -> bool:
        """A worker that was never killed has heard of a post."""
        is_told = self.watch.told["worker", "chat.postMessage", "ok"] > 0
        return is_told and "worker" not in self.watch.killed

    @property
    def posts(self) -> list[Post]:
        """Every message in any channel; a second tenant's team is named after the first one's."""
        return [each for each in self.slack.posts if each.team.startswith(self.team)]

    def all_posts_of(self, message_request_id: str) -> list[Post]:
        """Those of earlier rounds, too, which had other markers."""
        text = f"Hello {message_request_id}"
        return [each for each in self.posts if (each.channel, each.text) == (self.channel, text)]

    def has_settled(self) -> bool:
        """Each request has an outcome."""
        statuses = self.statuses(*self.asked)
        return all(each in statuses and statuses[each].status in ENDED for each in self.asked)

    def is_folded(self) -> bool:
        return stats(self.ledger).projector_lag == 0

    def queued(self) -> int:
        """How many messages stand on the queue."""
        return self.ledger.store.client.llen(f"{self.ledger.keys.prefix}:{{queue}}:slack")

    def fetched(self) -> int:
        """How many stand there, or were given to a worker that has not acknowledged them."""
        return self.ledger.store.client.hlen(f"{self.ledger.keys.prefix}:{{queue}}:slack.msgs")

    def lose_queue(self) -> None:
        self._forget("{queue}")

    def start_and_wait(self, *roles: Role) -> None:
        """Until they are at rest, with nothing to do."""
        self.crew.start(*roles)
        for role in roles:
            self.wait_until(partial(self.is_idle, role), f"the {role} is ready")

    def tell_service(self, verb: str, message_request_id: str = "", **fields: object) -> str:
        return self.crew.tell(
            verb=verb, tenant=TENANT, message_request_id=message_request_id, **fields
        )

    def request(self, message_request_id: str, **others: object) -> str:
        if message_request_id not in self.asked:
            self.asked.append(message_request_id)
        fields = {
            "channel_code": "ops",
            "template_code": "hi",
            "variables": {"name": message_request_id},
        }
        return self.tell_service("request", message_request_id, **{**fields, **others})

    def slack_will(self, *faults: Fault) -> None:
        """In this run's channel only."""
        self.slack.fault(*(fault.model_copy(update={"channel": self.channel}) for fault in faults))

    def wait_until(self, predicate: Callable[[], object], description: str) -> None:
        """Asked again only after something happened. Raises TimeoutError, at once where nothing
        happens any more.
        """
        seen = -1
        standstill = Standstill(self.ledger)

        def came_true() -> bool:
            nonlocal seen
            self.crew.revive()
            if seen == self.watch.news:
                if standstill.is_for_good():
                    raise TimeoutError(f"nothing happens any more, in vain: {description}")
                return False
            seen = self.watch.news
            standstill.begins_anew()
            return bool(predicate())

        wait_until(came_true, description=description, timeout_s=REST_S)

    def wait_until_asked(self, role: Role, name: str, *, times: int = 1) -> None:
        """Until the role has wanted the effect so often, whatever came of it."""

        def is_asked() -> bool:
            self.crew.revive()
            return self.watch.asked[role, name] >= times

        wait_until(is_asked, description=f"{role} asks for {name}", timeout_s=REST_S)

    def wait_until_due(self) -> None:
        """Until there is something for a sweeper to do, or everything is done."""
        due = self.ledger.due_deliveries(TENANT, limit=1)
        wait_until(
            lambda: self.ledger.run(due).members or self.has_settled(),
            description="it is due",
            timeout_s=REST_S,
        )

    def linger(self) -> None:
        """What is only asked now and then may still be struck."""
        with suppress(TimeoutError):
            wait_until(lambda: self.watch.is_done, description="all is struck", timeout_s=_LINGER_S)

    def _forget(self, names: str) -> None:
        client = self.ledger.store.client
        for key in client.scan_iter(match=f"{self.ledger.keys.prefix}:{names}*", count=1_000):
            client.unlink(key)

    def is_idle(self, role: Role) -> bool:
        """It asked for all that there might be to do, and there was nothing."""
        return all(self.watch.last.get((role, name)) == "nothing" for name in _POLLS[role])
