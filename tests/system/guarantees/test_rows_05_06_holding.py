"""Rows 5 and 6: who held a claim and was away meanwhile neither posts, nor gives back what another
holds by now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.slack.errors import InstallationMissing
from middleware.answers import Granted
from middleware.keys import Delivery
from tests.system.deliveries import TENANT
from tests.system.guarantees.points import SAYS_SO, Gate
from tests.system.guarantees.small_system import LONG_MS, EveryTeam
from tests.system.guarantees.verdicts import assert_sent_once
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.process_group import ProcessGroup
    from tests.system.guarantees.points import Point
    from tests.system.guarantees.small_system import SmallSystem
    from tests.system.processes import Installation

R1 = Delivery(TENANT, "r1")


class _Raises(EveryTeam):
    """No token is found, for this reason, until it is taken back."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    def token_for(self, team_id: str) -> str:
        if self.error is not None:
            raise self.error
        return super().token_for(team_id)


def paused_at(installation: Installation, point: Point) -> ProcessGroup:
    """A worker that stopped itself with r1 in its hands."""
    worker = installation.worker(
        app="tests.system.guarantees.interrupted_app",
        INTERRUPTED_AT=point,
        INTERRUPTED_BY="SIGSTOP",
    )
    worker.wait_for("Worker process is ready for action")
    installation.ask("r1")
    worker.wait_for(SAYS_SO)
    return worker


def resume(worker: ProcessGroup) -> None:
    """Until it has told what became of what it had in its hands."""
    worker.resume()
    wait_until(
        lambda: "delivery." in worker.log.partition(SAYS_SO)[2],
        description="the resumed worker says what it did",
        timeout_s=20,
    )


def claimed_by_another(system: SmallSystem) -> None:
    """Whose lease lasts; the first one's must be over."""
    claim = system.ledger.claim(R1, token="another", by="another worker", lease_ms=LONG_MS)
    wait_until(
        lambda: isinstance(system.run(claim), Granted), description="the first lease is over"
    )


def test_row_05_a_worker_paused_just_before_its_post_posts_no_more(
    installation: Installation,
) -> None:
    # Given
    paused = paused_at(installation, "intended")
    installation.ready_worker()
    assert_sent_once(installation, "r1")

    # When
    resume(paused)

    # Then
    assert_sent_once(installation, "r1")


def test_row_05_what_a_worker_posted_just_before_it_was_paused_is_not_posted_again(
    installation: Installation,
) -> None:
    # Given
    paused = paused_at(installation, "posted")
    installation.ready_worker()
    assert_sent_once(installation, "r1")

    # When
    resume(paused)

    # Then
    assert_sent_once(installation, "r1")


@pytest.mark.parametrize(
    "error",
    [None, InstallationMissing("T1"), ZeroDivisionError()],
    ids=["would post", "would wait", "fails"],
)
def test_row_06_a_claim_that_another_holds_by_now_is_neither_used_nor_given_back(
    make_system: Callable[..., SmallSystem], error: Exception | None
) -> None:
    # Given
    gate, installations = Gate("claimed"), EveryTeam() if error is None else _Raises(error)
    system = make_system(at=gate, installations=installations, dispatch_window_ms=LONG_MS)
    system.start_projector()
    # No other thread that could take it when its lease is over.
    system.start_worker(threads=1)
    system.ask("r1")
    gate.wait_for_one()
    claimed_by_another(system)
    before = system.record("r1")

    # When
    gate.open()
    system.stop_worker()

    # Then
    assert system.attempts_of("r1") == [], "it posted by a claim that another holds"
    state = system.state("r1")
    assert state == "claimed", f"it made what another holds {state}"
    assert system.record("r1") == before
