"""The embedded Lua and its imitated commands do what the real server does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.keys import Keys
from middleware.store import Store
from tests.explorer.asking import DELIVERY, Questions
from tests.explorer.reading import lines_of
from tests.explorer.search import Model
from tests.explorer.state import START_MS
from tests.explorer.told import identity_of
from tests.explorer.walks import UNLIMITED, walk

if TYPE_CHECKING:
    import redis

    from sandbox.servers import ValkeyProcess

# What was answered and then forgotten cannot be taken back from a real server that lives on.
_WITHOUT_ROLLBACKS = UNLIMITED._replace(rollbacks=0)


@pytest.mark.parametrize("seed", range(6))
def test_a_real_server_answers_and_keeps_the_same(
    valkey: ValkeyProcess, client: redis.Redis, prefix: str, seed: int
) -> None:
    # Given
    model = Model()
    walked = walk(model, seed, left=_WITHOUT_ROLLBACKS)
    assert walked.breach is None, "\n".join(lines_of(walked.moves, walked.breach))
    now_ms = START_MS
    keys = Keys(prefix=prefix, partitions=1)
    questions = Questions(keys)
    store = Store(valkey.url, clock_ms=lambda: now_ms, identity=lambda: identity_of(1))
    store.run(questions.call(("enter_epoch",)))
    compared = 0

    for move in walked.moves:
        if move.told is None:
            continue
        # When
        now_ms = move.after.now_ms
        reply = store.run(questions.call(move.question))

        # Then
        assert reply == move.told.reply, move.question
        record = model.ledger.record(move.after.ledger)
        assert client.hgetall(keys.delivery(DELIVERY)) == record, move.question
        compared += 1
    store.close()
    assert compared > 20
