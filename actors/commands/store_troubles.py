"""Why a store, or a Redis that is the queue, is of no use right now, and what to do about it.

A server that answers with a refusal is there: starting it would mend nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

from middleware.errors import ReplicasBehind

if TYPE_CHECKING:
    from collections.abc import Iterator

# How a server begins what it answers when a script may not do what it does.
_NOT_IN_SCRIPTS = "ACL failure"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`found` goes on from "the store", and `remedy` is what to do, neither with a full stop."""

    found: str
    remedy: str


def trouble_of(error: BaseException, *, variable: str) -> Trouble:
    """By the client's error that is behind it; `variable` holds the address that was asked."""
    for cause in _causes(error):
        match cause:
            case AuthenticationError():
                return Trouble(
                    f"refuses the user or the password: {_bare(cause)}",
                    f"correct them in {variable}",
                )
            case ResponseError() if _is_not_allowed(cause):
                return Trouble(
                    f"does not let its user do this: {_bare(cause)}",
                    "allow it by ACL SETUSER, with all keys that begin with POSTONCE_PREFIX",
                )
            case OutOfMemoryError():
                return Trouble(
                    f"is full: {_bare(cause)}",
                    "raise its maxmemory, or make room; what is in it is safe",
                )
            case ReadOnlyError():
                return Trouble(f"takes no writes: {_bare(cause)}", f"set {variable} to the primary")
            case BusyLoadingError():
                return Trouble("is still loading its data", "wait for it")
            case ReplicasBehind():
                return Trouble(
                    f"has too few replicas: {_bare(cause)}",
                    "start them, or correct POSTONCE_WAIT_REPLICAS",
                )
            case ResponseError():
                return Trouble(f"answers with an error: {_bare(cause)}", "mend what it names")
    return Trouble(f"cannot be reached: {_bare(error)}", f"start it, or correct {variable}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error itself, and what it came from: a cluster's client puts its own around it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_not_allowed(error: ResponseError) -> bool:
    return isinstance(error, NoPermissionError) or str(error).startswith(_NOT_IN_SCRIPTS)


def _bare(error: BaseException) -> str:
    """Without the full stop of the client's own sentences."""
    return str(error).rstrip(".")
