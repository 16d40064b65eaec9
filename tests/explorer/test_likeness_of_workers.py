"""The explorer's worker is another one than the middleware's: whatever that one is answered, what
it then asks or posts must be among what the explorer's may do.
"""

from __future__ import annotations

from typing import get_args

import pytest

from middleware import answers
from tests.explorer.answerable import LEDGERS
from tests.explorer.beside import Beside
from tests.explorer.choices import all_ways
from tests.explorer.search import Model

_KINDS = {
    "claim": answers.ClaimAnswer,
    "intend": answers.IntendAnswer,
    "settle_sent": answers.SentAnswer,
    "settle_rejected": answers.ReturnAnswer,
    "postpone": answers.ReturnAnswer,
    "look_later": answers.ReturnAnswer,
    "give_up": answers.ReturnAnswer,
    "doubt": answers.ReturnAnswer,
    "absent": answers.AbsentAnswer,
}


@pytest.mark.parametrize("name", _KINDS)
def test_the_ledger_gives_every_kind_of_answer(name: str) -> None:
    assert {type(answer) for answer in LEDGERS[name]} == {*get_args(_KINDS[name])}


def test_whatever_the_real_worker_does_the_explorers_may_do() -> None:
    # Given
    model = Model()
    asked: set[str] = set()

    for choices in all_ways():
        # When
        beside = Beside(model, choices)
        beside.go()

        # Then
        asked |= beside.asked
    assert asked == _KINDS.keys()
