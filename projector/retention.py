"""How long what has ended is kept is decided once for an installation: by its projectors.

They forget what is listed and what is logged, so theirs is the one that counts. Whoever works with
a shorter one drops what they keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from middleware.store import failing_closed
from middleware.timing import SECOND_MS

if TYPE_CHECKING:
    from middleware.ledger import Ledger

_FIELD = "retention_ms"


def tell_retention(ledger: Ledger) -> None:
    """Beside the number of partitions; not kept for good, as that is: it may be changed.

    Raises LedgerUnavailable.
    """
    with failing_closed():
        ledger.store.client.hset(ledger.keys.settings(), _FIELD, ledger.timing.retention_ms)


def other_retention(ledger: Ledger) -> str | None:
    """What is wrong, if the projectors keep things for another time than this ledger does.

    None too where no projector ever ran. Raises LedgerUnavailable.
    """
    with failing_closed():
        told = ledger.store.client.hget(ledger.keys.settings(), _FIELD)
    own_ms = ledger.timing.retention_ms
    if told is None or int(told) == own_ms:
        return None
    return (
        f"POSTONCE_RETENTION_S is {_seconds(own_ms)} here, and {_seconds(int(told))} where the "
        f"projectors run: set POSTONCE_RETENTION_S={_seconds(int(told))}"
    )


def _seconds(length_ms: int) -> str:
    seconds, rest_ms = divmod(length_ms, SECOND_MS)
    return str(seconds) if rest_ms == 0 else str(length_ms / SECOND_MS)
