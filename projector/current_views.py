"""Views are read of one generation only, even while a rebuild puts another in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from middleware.store import failing_closed

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.client import Pipeline

    from middleware.ledger import Ledger


def read_current(
    ledger: Ledger, partition: int, ask: Callable[[Pipeline, int], None], *, guess: int = 0
) -> tuple[int, list[Any]]:
    """The current generation, and the replies to what `ask` puts into a pipeline for it.

    One round trip if the generation is as guessed. Raises LedgerUnavailable.
    """
    generation = guess
    while True:
        with failing_closed():
            pipeline = ledger.store.client.pipeline(transaction=False)
            ask(pipeline, generation)
            # Last, so that the views were still there when they were read.
            pipeline.hget(ledger.keys.projection(partition), "current")
            *replies, current = pipeline.execute()
        if generation == int(current or 0):
            return generation, replies
        generation = int(current or 0)
