"""Where a delivery goes and what it says, by the tenant's configuration of this moment."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.slack.message import SlackMessage
from actors.templates import render
from middleware.errors import LedgerUnavailable
from middleware.fates import NotNow, Refused
from projector.configuration import resolve
from projector.errors import EventUnreadable
from projector.resolution import ForDelivery, read_for_delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.claim import AsyncClaim

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Addressed:
    """`target` says where, `message` what; `since_ms` as in `Resolved`."""

    target: Mapping[str, str]
    message: SlackMessage
    since_ms: int | None

    def could_differ(self, *, from_ms: int) -> bool:
        """Whether the target may have been another one at that time or later."""
        return self.since_ms is None or from_ms < self.since_ms


async def addressed_now(claim: AsyncClaim) -> Addressed | Refused | NotNow:
    """The request of the claim's delivery, read, resolved and rendered."""
    delivery = claim.delivery
    try:
        found = await read_for_delivery(claim.holding.ledger, delivery.tenant, delivery.id)
    except LedgerUnavailable:
        # It is the store that must come back: the request has used up nothing.
        return NotNow("ledger_unavailable")
    except EventUnreadable as unreadable:
        # While versions change, a worker of the newer one will read it.
        log.error("delivery.request_unreadable delivery=%s: %s", delivery, unreadable)
        return NotNow("request_unreadable")
    return address(found, thread_ts=claim.thread_ts, marker=claim.marker)


def address(
    found: ForDelivery | None, *, thread_ts: str | None, marker: str
) -> Addressed | Refused:
    """Resolve the codes and render. `thread_ts` is the thread set after the request, if any."""
    if found is None:
        return Refused("request_missing", "The text of this request is no longer stored.")
    asked = found.request
    resolved = resolve(
        found.fields,
        channel_code=asked.channel_code,
        template_code=asked.template_code,
        workspace_code=asked.workspace_code,
    )
    if isinstance(resolved, Refused):
        return resolved
    rendered = render(resolved.template, asked.variables)
    if isinstance(rendered, Refused):
        return rendered
    target = {"team": resolved.team_id, "channel": resolved.channel_id}
    thread = thread_ts or asked.thread_ts
    if thread is not None:
        target["thread_ts"] = thread
    message = SlackMessage(text=rendered.text, blocks=rendered.blocks, marker=marker)
    return Addressed(target, message, resolved.since_ms)
