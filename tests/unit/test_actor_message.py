from __future__ import annotations

import traceback
from typing import Any

import pytest

from actors.send_message import DELIVERY_KEY
from middleware.errors import PayloadRefused

CANARY = "canary-7e04-text"


async def send(tenant: str, message_request_id: str, thread_ts: str | None = None) -> None:
    """As the actor's own function takes them."""


@pytest.mark.parametrize(
    ("kwargs", "named"),
    [
        ({"tenant": "acme", "message_request_id": f"{CANARY} {CANARY}"}, "message_request_id"),
        ({"tenant": f"{CANARY}:", "message_request_id": "r1"}, "tenant"),
        ({"tenant": "acme", "message_request_id": "r1", "thread_ts": CANARY}, "thread_ts"),
        (
            {"tenant": "acme", "message_request_id": "r1", "thread_ts": {CANARY: CANARY}},
            "thread_ts",
        ),
        ({"tenant": "acme", "message_request_id": "r1", "text": CANARY}, "text"),
        ({"tenant": "acme"}, "message_request_id"),
    ],
)
def test_what_is_no_reference_is_refused_by_name_and_its_value_is_told_to_nobody(
    kwargs: dict[str, Any], named: str
) -> None:
    # When
    with pytest.raises(PayloadRefused, match=named) as refused:
        DELIVERY_KEY.read(send, (), kwargs)

    # Then
    assert CANARY not in "".join(traceback.format_exception(refused.value))
