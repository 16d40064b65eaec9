"""Rows 1 to 4: an accepted request is dispatched however often that fails, and sent once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dramatiq.errors import ConnectionClosed

from middleware.answers import Accepted, Duplicate
from middleware.errors import AlreadyDispatched, AlreadySettled
from sandbox.slack.faults import RateLimited
from tests.lossy_proxy import LossyProxy
from tests.system.guarantees.small_system import LONG_MS, EveryTeam
from tests.system.guarantees.verdicts import assert_posted_once, assert_sent_once
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.system.guarantees.small_system import SmallSystem
    from tests.system.processes import Installation


class _FailsOnce(EveryTeam):
    """What prepares the first POST fails in a way that nobody foresaw."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0

    def token_for(self, team_id: str) -> str:
        if self.failures == 0:
            self.failures += 1
            raise ZeroDivisionError
        return super().token_for(team_id)


def dispatched(installation: Installation, message_request_id: str) -> bool:
    noted = installation.evidence_of(message_request_id)
    return "dispatched" in [each.what for each in noted]


def test_row_01_a_projector_that_dies_between_dispatch_and_enqueue_loses_nothing(
    installation: Installation,
) -> None:
    # Given
    with LossyProxy(installation.store.port) as queue:
        queue.stall()
        projector = installation.projector(POSTONCE_BROKER_URL=queue.url)
        installation.ask("r1")
        wait_until(lambda: dispatched(installation, "r1"), description="dispatched", timeout_s=20)

        # When
        projector.kill()
    queued = installation.queued()
    installation.worker()

    # Then
    assert queued == 0
    assert_sent_once(installation, "r1")


def test_row_01_a_dispatch_that_did_not_reach_the_queue_is_repeated_by_who_made_it(
    make_system: Callable[..., SmallSystem], way: LossyProxy
) -> None:
    # Given: nobody else would for a long time.
    system = make_system(queue_way=way.url, dispatch_window_ms=LONG_MS)
    way.down()
    system.start_projector()
    system.ask("r1")
    wait_until(lambda: "dispatched" in system.noted("r1"), description="dispatched")

    # When
    way.up()
    system.start_worker()

    # Then
    assert_sent_once(system, "r1")


def test_row_02_who_lost_the_reply_to_an_enqueue_is_told_which_message_it_became(
    make_system: Callable[..., SmallSystem], way: LossyProxy
) -> None:
    # Given
    system = make_system(queue_way=way.url, dispatch_window_ms=LONG_MS)
    system.ask("r1")
    # The server must know the script, or the lost reply only says that it does not.
    assert system.queued_for_workers() == 0
    way.lose_next_reply(to=b"enqueue")
    with pytest.raises(ConnectionClosed):
        system.actor.send("acme", "r1")

    # When
    with pytest.raises(AlreadyDispatched) as refusal:
        system.actor.send("acme", "r1")
    queued = system.queued()
    dispatched = system.record("r1")["message_id"]
    system.start_worker()

    # Then
    assert refusal.value.message_id == dispatched, "another message is named"
    assert queued == 1
    assert_sent_once(system, "r1")


def test_row_03_a_backlog_longer_than_every_time_limit_is_sent_once(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given: the window passes several times, then the lease, then the retention.
    system = make_system(dispatch_window_ms=100, retention_ms=1_500)
    system.start_projector()
    system.ask("r1")
    wait_until(lambda: system.queued() == 1, description="it is on the queue")
    sweeping = system.start_sweeper()
    wait_until(lambda: system.queued() >= 3, description="it is dispatched again and again")
    sweeping.stop()
    system.let_pass(ms=1_600)

    # When
    again = system.ask("r1")
    system.start_worker()

    # Then
    assert again == Duplicate("waiting"), "it was taken for a new request"
    assert_sent_once(system, "r1")


def test_row_03_what_was_sent_stays_known_for_the_whole_retention(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given: a retention that begins when it is sent, long after it was asked for.
    system = make_system(retention_ms=3_000, dispatch_window_ms=LONG_MS)
    system.ask("r1")
    system.let_pass(ms=2_000)
    system.start()
    assert_sent_once(system, "r1")

    # When
    system.let_pass(ms=1_500)
    answers = [system.ask("r1") for _ in range(3)]

    # Then
    assert answers == [Duplicate("sent")] * 3, "it was taken for a new request"
    with pytest.raises(AlreadySettled):
        system.actor.send("acme", "r1")
    assert_posted_once(system, "r1")


def test_row_04_what_fails_before_its_post_is_tried_again_long_before_its_lease_ends(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    failing = _FailsOnce()
    system = make_system(installations=failing, lease_ms=LONG_MS, dispatch_window_ms=LONG_MS)

    # When
    system.start()
    system.ask("r1")

    # Then
    assert_sent_once(system, "r1")
    assert failing.failures == 1


def test_row_04_what_must_wait_holds_nothing_meanwhile(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    system = make_system(lease_ms=LONG_MS, dispatch_window_ms=LONG_MS)
    system.slack.fault(RateLimited(retry_after=1))

    # When
    system.start()
    system.ask("r1")
    status = system.wait_until_settled("r1")["r1"]

    # Then
    assert status.status == "sent"
    assert status.attempts == 1, f"waiting used up {status.attempts - 1} attempts"
    assert len(system.posts_of("r1")) == 1


def test_row_04_a_request_that_was_rejected_blocks_no_other(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    system = make_system().start()
    system.ask("dead", template_code="unheard-of")
    ended = system.wait_until_settled("dead")["dead"].status

    # When
    answer = system.ask("another", template_code="hi")

    # Then
    assert ended == "rejected"
    assert answer == Accepted(), "what was rejected is in its way"
    assert_sent_once(system, "another")
