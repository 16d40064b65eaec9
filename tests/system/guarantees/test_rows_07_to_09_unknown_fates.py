"""Rows 7 to 9: a POST of unknown fate is looked for, and made again only if it is proven absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dramatiq.middleware import Shutdown, TimeLimitExceeded

from sandbox.slack.faults import (
    Close,
    Empty,
    ErrorCode,
    HalfReset,
    Html,
    Reset,
    ServerError,
    Silence,
    Slow,
)
from tests.system.guarantees.points import SAYS_SO
from tests.system.guarantees.verdicts import assert_sent_once

if TYPE_CHECKING:
    from dramatiq.middleware import Interrupt

    from sandbox.slack.faults import Fault
    from tests.system.guarantees.small_system import SmallSystem
    from tests.system.processes import Installation

# Each is taken for a failure by somebody; after each Slack may have the message, or not.
ARRIVED: tuple[Fault, ...] = (
    Reset(stored=True),
    Close(stored=True),
    Silence(stored=True),
    HalfReset(stored=True),
    Html(stored=True, status=200),
    Empty(stored=True),
    ServerError(stored=True),
    ErrorCode(stored=True, code="internal_error"),
    ErrorCode(stored=True, code="fatal_error"),
    ErrorCode(stored=True, code="unheard_of_by_anyone"),
)
LOST: tuple[Fault, ...] = (
    Reset(),
    Silence(),
    ServerError(),
    ErrorCode(code="internal_error"),
)


def test_row_07_what_a_killed_worker_had_posted_is_found_and_not_posted_again(
    installation: Installation,
) -> None:
    # Given
    worker = installation.worker(
        app="tests.system.guarantees.interrupted_app",
        INTERRUPTED_AT="posted",
        INTERRUPTED_BY="SIGKILL",
    )
    installation.ask("r1")
    worker.wait_for(SAYS_SO)

    # When
    worker.kill()
    state = installation.statuses("r1")["r1"].status
    installation.worker()

    # Then
    assert state == "sending"
    assert_sent_once(installation, "r1")


def test_row_08_an_answer_that_tells_nothing_is_not_taken_for_a_failure(
    system: SmallSystem,
) -> None:
    # Given: one for each POST.
    ids = [f"r{number}" for number in range(len(ARRIVED))]
    system.slack.fault(*ARRIVED)

    # When
    system.start()
    for each in ids:
        system.ask(each)

    # Then
    assert_sent_once(system, *ids)


def test_row_08_what_is_proven_absent_is_posted_again(system: SmallSystem) -> None:
    # Given: one for the first POST of each.
    ids = [f"r{number}" for number in range(len(LOST))]
    system.slack.fault(*LOST)

    # When
    system.start()
    for each in ids:
        system.ask(each)
    statuses = system.wait_until_settled(*ids)

    # Then
    assert {(each.status, each.attempts) for each in statuses.values()} == {("sent", 2)}
    assert [len(system.attempts_of(each)) for each in ids] == [2] * len(ids)
    assert [len(system.posts_of(each)) for each in ids] == [1] * len(ids)


@pytest.mark.parametrize("interrupt", [TimeLimitExceeded, Shutdown])
def test_row_09_an_interrupt_in_the_middle_of_a_post_leaves_its_fate_unknown(
    system: SmallSystem, interrupt: type[Interrupt]
) -> None:
    # Given
    system.slack.fault(Slow(delay_ms=900))
    system.start_projector()
    system.start_worker(threads=1)
    system.ask("r1")
    system.wait_for_attempts(1)

    # When
    system.interrupt_worker(interrupt)

    # Then
    assert_sent_once(system, "r1")
    assert "uncertain" in system.noted("r1")
