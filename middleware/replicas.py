"""A write may be asked to stand on replicas before its reply counts, so that a failover keeps it.

`WAIT` speaks of the writes of its own connection, so it follows them there, in one round trip.
"""

from __future__ import annotations

from middleware.errors import ReplicasBehind

# Of the POST's deadline, for replicas to take the intent; healthy ones take a millisecond.
_LONGEST_WAIT_MS = 500


def waiting_for(replicas: int) -> tuple[str, int, int]:
    return ("WAIT", replicas, _LONGEST_WAIT_MS)


def refuse_few(count: object, replicas: int) -> None:
    """Raise ReplicasBehind unless `count`, what WAIT replied, is enough."""
    if not isinstance(count, int) or count < replicas:
        msg = f"{count} of {replicas} replicas have the write"
        raise ReplicasBehind(msg)
