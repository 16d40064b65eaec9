"""What a service needs to ask for messages and to follow their outcomes; importing does no I/O."""

from projector.connection import get_ledger, set_ledger
from projector.outcome_feed import outcomes
from projector.requests import (
    Accepted,
    Conflict,
    Duplicate,
    RefusedInput,
    request,
    request_many,
)

__all__ = [
    "Accepted",
    "Conflict",
    "Duplicate",
    "RefusedInput",
    "get_ledger",
    "outcomes",
    "request",
    "request_many",
    "set_ledger",
]
