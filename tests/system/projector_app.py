"""A composition root for the projector's process: a guarded actor, and its queue on Redis."""

from __future__ import annotations

import os

import dramatiq

from middleware.dispatch_once import DispatchOnce
from projector import get_ledger
from tests.redis.projector.guarding import declare_actor, redis_broker

broker = redis_broker(
    os.environ["POSTONCE_REDIS_URL"], namespace=f"{os.environ['POSTONCE_PREFIX']}-queue"
)
broker.add_middleware(DispatchOnce(get_ledger()))
dramatiq.set_broker(broker)
declare_actor(broker)
