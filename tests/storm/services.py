"""`python -m tests.storm.services BEGIN CALLS ANSWERS`: services ask, ask again, nudge and cancel.

They know the store only. A request is repeated until it is answered, as every service must; what
they heard goes to the file ANSWERS, a line each.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, TextIO

from dramatiq.errors import BrokerConnectionError

from actors.app import send_message
from middleware.errors import DispatchRefused, LedgerUnavailable
from middleware.keys import Delivery
from projector.connection import get_ledger
from projector.requests import request
from tests.storm.calls import Answer, Call

if TYPE_CHECKING:
    from collections.abc import Sequence

# So many services; each does one thing at a time.
_SERVICES = 4
_ASK_AGAIN_S = 0.2
# Longer than any outage of a storm.
_ASK_FOR_S = 60.0

_writing = Lock()
_never = Event()


def main(begin_s: float, calls: Sequence[Call], answers: TextIO) -> None:
    """`begin_s` in seconds since 1970. Raises what a service died of when all are through."""
    with ThreadPoolExecutor(_SERVICES, thread_name_prefix="service") as services:
        served = [
            services.submit(_serve, begin_s, calls[number::_SERVICES], answers)
            for number in range(_SERVICES)
        ]
    for each in served:
        each.result()


def _serve(begin_s: float, calls: Sequence[Call], answers: TextIO) -> None:
    for call in calls:
        _never.wait(max(0.0, begin_s + call.at_s - time.time()))
        answer, tries = _insist(call, begin_s)
        said = Answer(does=call.does, tenant=call.tenant, id=call.id, answer=answer, tries=tries)
        with _writing:
            answers.write(f"{said.model_dump_json()}\n")


def _insist(call: Call, begin_s: float) -> tuple[str | None, int]:
    tries = 0
    until_s = time.monotonic() + _ASK_FOR_S
    while time.monotonic() < until_s:
        tries += 1
        try:
            return _done(call, begin_s), tries
        except LedgerUnavailable:
            _never.wait(_ASK_AGAIN_S)
    return None, tries


def _done(call: Call, begin_s: float) -> str:
    match call.does:
        case "request":
            return type(request(**_fields(call, begin_s))).__name__
        case "nudge":
            try:
                send_message.send(call.tenant, call.id)
            except (DispatchRefused, BrokerConnectionError) as refusal:
                return type(refusal).__name__
            return "Dispatched"
        case "cancel":
            ledger = get_ledger()
            answer = ledger.run(ledger.cancel(Delivery(call.tenant, call.id)))
            return type(answer).__name__


def _fields(call: Call, begin_s: float) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "tenant": call.tenant,
        "message_request_id": call.id,
        "channel_code": call.channel_code,
        "template_code": call.template_code,
        "variables": {"ref": call.id},
        "thread_ts": call.thread_ts,
    }
    for name, after_s in (("send_at", call.send_at_s), ("expires_at", call.expires_at_s)):
        if after_s is not None:
            fields[name] = datetime.fromtimestamp(round(begin_s + after_s, 3), UTC).isoformat()
    return fields


if __name__ == "__main__":
    _, begin, calls_file, answers_file = sys.argv
    lines = Path(calls_file).read_text(encoding="utf-8").splitlines()
    with Path(answers_file).open("w", encoding="utf-8", buffering=1) as answers_out:
        main(float(begin), [Call.model_validate_json(line) for line in lines], answers_out)
