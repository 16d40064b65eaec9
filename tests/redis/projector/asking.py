"""Requests as tests ask for them, and what a worker would do with them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, cast

from dramatiq import Message

from middleware.answers import Accepted
from middleware.keys import Delivery
from projector.actor_message import QUEUE_NAME
from projector.requests import request

if TYPE_CHECKING:
    import redis
    from dramatiq.brokers.stub import StubBroker

    from middleware.ledger import Ledger

RECEIPT = {"channel": "C1", "ts": "1700000000.000100"}


def fields(message_request_id: str = "r1", **others: object) -> dict[str, Any]:
    return {
        "tenant": "acme",
        "message_request_id": message_request_id,
        "channel_code": "ops",
        "template_code": "alert",
        "variables": {"host": "db-1"},
        **others,
    }


def ask(ledger: Ledger, message_request_id: str = "r1", **others: object) -> Delivery:
    asked = fields(message_request_id, **others)
    assert request(ledger=ledger, **asked) == Accepted()
    return Delivery(str(asked["tenant"]), message_request_id)


def claim(ledger: Ledger, delivery: Delivery) -> str:
    """The token of the claim."""
    token = secrets.token_urlsafe()
    ledger.run(ledger.claim(delivery, token=token, by="a worker"))
    return token


def post(ledger: Ledger, delivery: Delivery) -> None:
    """Claim, intend and settle as sent."""
    token = claim(ledger, delivery)
    ledger.run(ledger.intend(delivery, token=token, target={"channel": "C1"}))
    ledger.run(ledger.settle_sent(delivery, token=token, receipt=RECEIPT))


def reject(ledger: Ledger, delivery: Delivery) -> None:
    token = claim(ledger, delivery)
    ledger.run(
        ledger.settle_rejected(
            delivery, token=token, error="channel_not_found", reason="There is no such channel."
        )
    )


def stream(client: redis.Redis, key: str) -> list[tuple[str, dict[str, str]]]:
    """Every entry, with its id."""
    return cast("list[tuple[str, dict[str, str]]]", client.xrange(key))


def queued(broker: StubBroker) -> list[Message[object]]:
    """The messages on the queue, in order, without taking them."""
    return [Message.decode(encoded) for encoded in broker.queues[QUEUE_NAME].queue]
