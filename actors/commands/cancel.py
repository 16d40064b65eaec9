"""`postonce cancel`: stopped at once, or asked to stop, or too late; never half."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.commands.opening import opened_for_orders
from actors.commands.order_answers import cancelled
from actors.commands.redrive_options import whoever
from middleware.keys import Delivery

if TYPE_CHECKING:
    from actors.commands.exit_codes import ExitCode


def cancel_request(
    tenant: str, message_request_id: str, *, by: str | None, why: str | None, as_json: bool
) -> ExitCode:
    delivery = Delivery(tenant, message_request_id)
    with opened_for_orders() as ledger:
        answer = ledger.run(ledger.cancel(delivery, by=by or whoever(), why=why or ""))
    return cancelled(delivery, answer).tell(as_json=as_json)
