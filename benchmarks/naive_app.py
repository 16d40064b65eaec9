"""The design that postonce replaces, as one would write it on Dramatiq in an afternoon.

SETNX for 5 minutes on dispatch, SETNX for 10 minutes on send, a sync `WebClient`, retries by
Dramatiq. It loses and doubles messages; here it only has to be fast. Used as
`dramatiq benchmarks.naive_app`.
"""

from __future__ import annotations

import json
import os
from typing import Any, cast

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from slack_sdk import WebClient  # noqa: TID251 - the peer is measured as people write it

_DISPATCH_LOCK_S = 300
_SEND_LOCK_S = 600

store = redis.Redis.from_url(os.environ["POSTONCE_REDIS_URL"], decode_responses=True, protocol=2)
dramatiq.set_broker(RedisBroker(url=os.environ["POSTONCE_REDIS_URL"]))  # type: ignore[no-untyped-call]
slack = WebClient(token="xoxb-benchmark", base_url=os.environ["POSTONCE_SLACK_URL"])  # noqa: S106


def dispatch(request: dict[str, Any]) -> None:
    """What its projector does for one request."""
    name = f"{request['tenant']}:{request['message_request_id']}"
    store.set(f"request:{name}", json.dumps(request))
    if store.set(f"dispatch:{name}", "1", nx=True, ex=_DISPATCH_LOCK_S):
        send_naively.send(request["tenant"], request["message_request_id"])


@dramatiq.actor(queue_name="naive")
def send_naively(tenant: str, message_request_id: str) -> None:
    """Post once, as far as a lock can see to that."""
    name = f"{tenant}:{message_request_id}"
    if not store.set(f"send:{name}", "1", nx=True, ex=_SEND_LOCK_S):
        return
    request = json.loads(cast("str", store.get(f"request:{name}")))
    variables = request["variables"]
    text = f"*{variables['event']} {variables['action']}*: {variables['title']} ref "
    answer = slack.chat_postMessage(channel="C0SINK", text=text + variables["ref"])
    store.set(f"outcome:{name}", str(answer["ts"]))
