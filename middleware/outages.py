"""How far a failure of the store reaches: one record, one node of several, or everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError

if TYPE_CHECKING:
    from middleware.errors import LedgerUnavailable
    from middleware.store import Store

# Like those two, of a server that takes no writes from anybody.
_TAKES_NOTHING = ("MISCONF", "NOREPLICAS")


def is_of_one(error: LedgerUnavailable) -> bool:
    """A server that answers, though with an error, is there for the others."""
    cause = error.__cause__
    if isinstance(cause, OutOfMemoryError | ReadOnlyError):
        return False
    return isinstance(cause, ResponseError) and not str(cause).startswith(_TAKES_NOTHING)


def reaches_all(store: Store, error: LedgerUnavailable) -> bool:
    """Of a cluster the other nodes may be as well as ever."""
    return not (store.is_cluster or is_of_one(error))
