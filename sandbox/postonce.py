"""`Postonce`: the whole system in one process, without a server, where nothing happens unasked.

A request waits until the test sends or drains; time passes when the test says so. The ledger, the
projector, the workers and the Slack gateway are those of production, on stand-ins for the rest.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from middleware.stub_ledger import StubLedger
from middleware.timing import SECOND_MS
from projector.events import Outcome, parse_event
from projector.message_request import parse_request
from projector.requests import request
from projector.status import Status, read_status
from sandbox.codes_as_asked import CodesAsAsked
from sandbox.composed_in_memory import composed_in_memory
from sandbox.due_work import DueWork
from sandbox.slack import SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    from dramatiq.brokers.stub import StubBroker

    from middleware.answers import AcceptAnswer
    from middleware.stub_ledger import ManualClock


class Postonce:
    """`slack` is a `SlackSandbox`: its `posts` and `attempts` tell, its `fault` makes trouble.

    What is due together is posted in any order, as in production.
    `clock.advance(ms=...)` is the only way, beside `drain`, in which time passes, for Slack too.
    """

    def __init__(self, ledger: StubLedger, broker: StubBroker, slack: SlackSandbox) -> None:
        self.ledger = ledger
        self.broker = broker
        self.slack = slack
        self._codes = CodesAsAsked(ledger)
        self._work = DueWork(ledger, broker)

    @classmethod
    @contextmanager
    def in_this_process(cls) -> Iterator[Self]:
        """Meanwhile `get_ledger()` and the actor `send_message` are this system's."""
        ledger = StubLedger()
        slack = SlackSandbox(clock=lambda: ledger.clock.now_ms / SECOND_MS)
        with slack, composed_in_memory(ledger, slack_url=slack.url) as broker:
            yield cls(ledger, broker, slack)

    @property
    def clock(self) -> ManualClock:
        return self.ledger.clock

    def request(self, **fields: object) -> AcceptAnswer:
        """As `projector.request`, but any tenant and any code is configured as it is asked for.

        Nothing is dispatched yet. Raises RequestRefused.
        """
        self._codes.add(parse_request(fields, now_ms=self.clock.now_ms))
        return request(ledger=self.ledger, **fields)

    def configure(
        self,
        tenant: str,
        *,
        enabled: bool | None = None,
        workspaces: dict[str, object] | None = None,
        channels: dict[str, object] | None = None,
        templates: dict[str, object] | None = None,
    ) -> None:
        """Add to a tenant, or change, what is named; values as in a tenants file.

        Every tenant has a workspace `main`. Raises pydantic's ValidationError, and
        TenantsFileRefused for a template that cannot be rendered.
        """
        sections = {
            "workspaces": workspaces or {},
            "channels": channels or {},
            "templates": templates or {},
        }
        self._codes.change(tenant, enabled=enabled, sections=sections)

    def configure_from(self, tenants_file: Path) -> None:
        """Configure what the file says. Raises TenantsFileRefused."""
        self._codes.take_over(tenants_file)

    def work(self) -> None:
        """Fold, dispatch and send all that is due now; the clock stands still."""
        self._work.do()

    def drain(self) -> None:
        """Work, and move the clock to what is due next, until every request has its outcome.

        Raises NeverSettles, which says what is still open and why.
        """
        self._work.drain()

    def status(self, tenant: str, message_request_id: str) -> Status:
        """Raises LookupError when there is no such request."""
        found = read_status(self.ledger, tenant, message_request_id)
        if found is None:
            raise LookupError(f"there is no request {tenant}/{message_request_id}")
        return found

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """All so far, as services that follow them see them, in the order of time."""
        stream = self.ledger.keys.outcomes(0)
        entries = cast("list[tuple[str, dict[str, str]]]", self.ledger.store.client.xrange(stream))
        events = [parse_event(fields) for _, fields in entries]
        return tuple(event for event in events if isinstance(event, Outcome))
