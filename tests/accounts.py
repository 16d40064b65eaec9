"""What is said of a request that has ended, to those who follow and by the views: as the ledger.

The ledger is the truth; whoever is told otherwise acts on it, and nobody comes to tell him.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from projector.explanation import read_explanation
from projector.fold import ENDED
from projector.listing import Filter, list_statuses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from middleware.keys import Delivery
    from middleware.ledger import Ledger

# A person has tried again what was not sent.
_EARLIER_ROUNDS = rf"(({'|'.join(each for each in ENDED if each != 'sent')}) redriven )*"


def told_otherwise(
    outcome: str, *, told: Sequence[str], folded: Sequence[str], listed: int
) -> Mapping[str, str]:
    """What is wrong, by its name, with a sentence for each; empty where all say what the ledger
    does. `told` are its outcome events in order, `folded` what its timeline holds, and `listed` is
    how often it is listed under its outcome.
    """
    wrong = {
        "untold": (
            not re.fullmatch(_EARLIER_ROUNDS + _a_round(outcome), " ".join(told)),
            f"those who follow were told {list(told)}",
        ),
        "unfolded": (
            Counter(folded) != Counter(["requested", *told]),
            f"its timeline holds {list(folded)}",
        ),
        "unlisted": (listed != 1, f"it is listed so {listed} times"),
    }
    return {name: sentence for name, (is_so, sentence) in wrong.items() if is_so}


def folded_of(ledger: Ledger, delivery: Delivery) -> list[str]:
    """The events that its timeline holds. Raises LedgerUnavailable."""
    explanation = read_explanation(ledger, delivery.tenant, delivery.id)
    evidence = explanation.evidence if explanation is not None else ()
    return [each.what for each in evidence if each.source == "event"]


def listed_as(ledger: Ledger, tenant: str, outcome: str) -> Counter[str]:
    """How often each id is listed under the outcome. Raises LedgerUnavailable."""
    listed = list_statuses(ledger, Filter(tenant=tenant, status=outcome))
    return Counter(each.message_request_id for each in listed)


def _a_round(outcome: str) -> str:
    """One outcome, but what nobody could tell may still be found."""
    return "(unproven )?sent" if outcome == "sent" else outcome
