"""`python -m tests.storm.following HEARD`: a service follows outcomes, and acts on each of them.

What it heard goes to the file HEARD, a line each, before it is acknowledged.
"""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, TextIO

from middleware.errors import LedgerUnavailable
from projector import outcomes
from tests.storm.calls import Heard

if TYPE_CHECKING:
    from typing import NoReturn

_NAME = "storm"
_ASK_AGAIN_S = 0.2

_never = Event()


def main(heard: TextIO) -> NoReturn:
    while True:
        try:
            _follow(heard)
        except LedgerUnavailable:
            _never.wait(_ASK_AGAIN_S)


def _follow(heard: TextIO) -> None:
    for outcome in outcomes(group=_NAME, consumer=_NAME):
        told = Heard(tenant=outcome.tenant, id=outcome.message_request_id, event=outcome.event)
        heard.write(f"{told.model_dump_json()}\n")


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", encoding="utf-8", buffering=1) as heard_out:
        main(heard_out)
