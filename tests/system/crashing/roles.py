"""What a process of each role does: the application's own parts, as its own programs start them.

`channel` is the way to whoever started it; when that ends, so does the process.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

import dramatiq

from actors.tenants_file import read_tenants_file
from middleware.dispatch_once import new_marker
from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery
from middleware.operating import Order, mark_sent, redrive
from middleware.store import failing_closed
from projector.configure import configure
from projector.connection import get_ledger
from projector.outcome_feed import outcomes
from projector.projector import Projector
from projector.rebuild import rebuild
from projector.requests import request
from projector.trimming import Trimming

if TYPE_CHECKING:
    from typing import TextIO

    from middleware.ledger import Ledger
    from tests.system.crashing.effects import Role

# Short, so that a partition of one that was killed is soon taken over.
_PARTITION_LEASE_MS = 600
_BLOCK_MS = 200
_ORDER = Order(by="Ada", why="asked for")
# Longer than any run.
_ACTED_S = 600
# Few, so that messages stand fetched and not begun.
_THREADS = 2


def play(role: Role, channel: TextIO) -> None:
    """Return when told to stop, with everything finished."""
    match role:
        case "service":
            _serve(channel)
        case "projector":
            _project(channel)
        case "worker":
            _work(channel)
        case _:
            assert_never(role)


def _serve(channel: TextIO) -> None:
    """Orders are done one by one; whoever gives them is told what came of each."""
    for line in channel:
        order = json.loads(line)
        try:
            answer = str(_carried_out(**order))
        except LedgerUnavailable:
            answer = ""
        print(answer, file=channel, flush=True)


def _carried_out(verb: str, tenant: str, message_request_id: str, **fields: Any) -> object:  # noqa: ANN401 - of the order
    ledger = get_ledger()
    delivery = Delivery(tenant, message_request_id)
    match verb:
        case "request":
            return request(tenant=tenant, message_request_id=message_request_id, **fields)
        case "cancel":
            return ledger.run(ledger.cancel(delivery))
        case "redrive":
            return ledger.run(redrive(ledger, delivery, _ORDER, marker=new_marker(), **fields))
        case "mark_sent":
            return ledger.run(mark_sent(ledger, delivery, _ORDER, **fields))
        case "rebuild":
            return list(rebuild(ledger))
        case "configure":
            return configure(ledger, read_tenants_file(fields["text"]))
        case "follow":
            return _follow(ledger, last=message_request_id)
        case "trim":
            # As if everything were older: what has a record stays all the same.
            timing = replace(ledger.timing, retention_ms=1)
            return Trimming(replace(ledger, timing=timing), partition=0).step()
        case _:
            raise AssertionError(f"no service does {verb}")


def _follow(ledger: Ledger, *, last: str) -> str:
    """What is done about an outcome may be done twice, but not never. The outcome of the last."""
    for outcome in outcomes(group="billing", consumer="one", ledger=ledger):
        key = f"{ledger.keys.prefix}:acted:{outcome.message_request_id}"
        with failing_closed():
            ledger.store.client.set(key, outcome.event, ex=_ACTED_S)
        if outcome.message_request_id == last:
            return outcome.event
    raise AssertionError  # outcomes never end by themselves


def _project(channel: TextIO) -> None:
    importlib.import_module("actors.app")
    projector = Projector(
        get_ledger(), dramatiq.get_broker(), lease_ms=_PARTITION_LEASE_MS, block_ms=_BLOCK_MS
    )
    projector.start()
    channel.read()
    projector.stop()


def _work(channel: TextIO) -> None:
    importlib.import_module("actors.app")
    broker = dramatiq.get_broker()
    broker.emit_after("process_boot")
    worker = dramatiq.Worker(broker, worker_threads=_THREADS)
    worker.start()
    channel.read()
    worker.stop()
    broker.close()
