"""Evidence of a storm that never was: of one request, asked for twice and posted once."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from middleware.keys import Delivery
from projector.status import Status
from sandbox.demo.followed import Followed
from tests.storm.calls import Answer, Call, Does
from tests.storm.forecast import Asked, Storm
from tests.storm.observing import Observed, Trouble

ID = str(UUID(int=1))
TS = "1700000000.000100"
DELIVERY = Delivery("acme", ID)


def post(*, ts: str = TS, marker: str = "m", text: str = f"Hello, ref {ID}") -> dict[str, Any]:
    return {"channel": "C1", "ts": ts, "marker": marker, "text": text}


def call(does: Does) -> Call:
    return Call(
        at_s=0,
        does=does,
        tenant="acme",
        id=ID,
        channel_code="ops",
        template_code="hi",
        is_reply=False,
    )


def answer(said: str | None, *, does: Does = "request") -> Answer:
    return Answer(does=does, tenant="acme", id=ID, answer=said, tries=1)


def status(state: str) -> Status:
    return Status(
        tenant="acme",
        message_request_id=ID,
        status=state,
        receipt={"channel": "C1", "ts": TS} if state == "sent" else None,
        attempts=1,
        error=None,
        requested_at_ms=0,
        due_at_ms=None,
        settled_at_ms=None,
    )


def followed(state: str | None) -> Followed:
    return Followed(DELIVERY, "m", None if state is None else status(state))


STORM = Storm(seconds=10, kills=4, faults=0.3, history_faults=0.15, seed=7, rate=1)
# As much as was asked for.
TROUBLE = Trouble(
    blows=Counter(
        {f"{does} {victim}": 4 for does in ("kill", "pause") for victim in ("worker", "projector")}
        | {"kill valkey": 4, "pause valkey": 4, "rob messages": 1}
    ),
    post_faults=Counter({"cut after": 1}),
    read_faults=Counter(),
    received=1,
    notices=(),
)
OBSERVED = Observed(
    storm=STORM,
    asked=[Asked(tenant="acme", id=ID, kind="plain")],
    calls=[call("request"), call("request")],
    answers=[answer("Accepted"), answer("Duplicate")],
    trouble=TROUBLE,
    followed=[followed("sent")],
    posts=[post()],
    told={DELIVERY: ["sent"]},
    heard={DELIVERY: ["sent"]},
    folded={DELIVERY: ["requested", "sent"]},
    listed={DELIVERY: 1},
)
