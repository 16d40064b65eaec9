"""Row 18: folding the log again, however late, sends nothing again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.system.guarantees.verdicts import assert_sent_once, assert_told_once
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.system.guarantees.small_system import SmallSystem


def test_row_18_a_log_replayed_after_all_records_are_forgotten_sends_nothing(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given: the log outlives what is known of its requests.
    system = make_system(retention_ms=1_000).start()
    ids = [f"r{number}" for number in range(5)]
    for each in ids:
        system.ask(each)
    assert_sent_once(system, *ids)
    system.stop_projector()
    wait_until(
        lambda: {system.state(each) for each in ids} == {"none"},
        description="the retention is over",
    )

    # When: no worker is there to hide what would be dispatched.
    system.stop_worker()
    system.forget_position()
    replayed = system.unfolded()
    system.start_projector()
    wait_until(lambda: system.unfolded() == 0, description="the log is folded again")

    # Then
    assert replayed >= len(ids)
    assert system.queued() == 0, "history was put on the queue again"
    assert {system.state(each) for each in ids} == {"none"}
    assert len(system.slack.attempts) == len(ids)
    assert_told_once(system, *ids)
