"""Rows 10 to 14: what is down, held or repeated lets nothing through and loses nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from middleware.answers import Granted
from middleware.errors import GuardFailed, LedgerUnavailable
from middleware.keys import Delivery
from sandbox.slack.faults import RateLimited
from tests.system.deliveries import TENANT
from tests.system.guarantees.points import Gate
from tests.system.guarantees.small_system import LONG_MS, name_of_script
from tests.system.guarantees.verdicts import assert_sent_once
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lossy_proxy import LossyProxy
    from tests.system.guarantees.small_system import SmallSystem

R1 = Delivery(TENANT, "r1")


def test_row_10_without_its_ledger_nothing_is_enqueued(
    make_system: Callable[..., SmallSystem], way: LossyProxy
) -> None:
    # Given
    system = make_system(ledger_way=way.url)
    system.ask("r1")
    way.down()

    # When
    with pytest.raises(LedgerUnavailable):
        system.actor.send("acme", "r1")

    # Then
    assert system.queued() == 0, "it was enqueued unguarded"


def test_row_10_a_hook_that_fails_as_nobody_foresaw_enqueues_nothing(system: SmallSystem) -> None:
    # Given: a record whose time no Python number stands for.
    system.ask("r1")
    system.damage("r1", "not_before", "1e999")

    # When
    with pytest.raises(GuardFailed):
        system.actor.send("acme", "r1")

    # Then
    assert system.queued() == 0, "it was enqueued unguarded"


def test_row_10_a_worker_without_its_ledger_posts_nothing_until_it_is_back(
    make_system: Callable[..., SmallSystem], way: LossyProxy
) -> None:
    # Given
    system = make_system(ledger_way=way.url)
    system.ask("r1")
    system.put_on_the_queue(system.message("r1"))
    way.down()
    system.start_worker()
    wait_until(lambda: system.queued() == 0, description="the message is gone")
    attempts = len(system.attempts_of("r1"))

    # When
    way.up()

    # Then
    assert attempts == 0, "it posted without a claim"
    assert_sent_once(system, "r1")


def test_row_10_an_intent_that_cannot_be_written_lets_nothing_be_posted(
    make_system: Callable[..., SmallSystem], way: LossyProxy, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    gate = Gate("claimed")
    system = make_system(at=gate, ledger_way=way.url).start()
    system.ask("r1")
    gate.wait_for_one()
    way.down()
    caplog.set_level(logging.INFO)

    # When
    gate.open()
    wait_until(
        lambda: "ledger_unavailable" in caplog.text or system.attempts_of("r1"),
        description="the intent was not written",
    )
    attempts = len(system.attempts_of("r1"))
    way.up()

    # Then
    assert attempts == 0, "it posted without an intent"
    assert_sent_once(system, "r1")


def test_row_11_a_retry_that_does_not_reach_the_queue_is_made_again(
    make_system: Callable[..., SmallSystem], way: LossyProxy, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    system = make_system(queue_way=way.url)
    system.slack.fault(RateLimited(retry_after=1))
    system.start()
    system.ask("r1")
    wait_until(lambda: "postponed" in system.noted("r1"), description="it waits")

    # When
    way.down()
    wait_until(
        lambda: "sweep.not_enqueued" in caplog.text,
        description=lambda: f"the retry is not enqueued; {system.standing('r1')}",
    )
    way.up()

    # Then
    statuses = system.wait_until_settled("r1")
    assert statuses["r1"].status == "sent"
    assert len(system.posts_of("r1")) == 1


def test_row_12_what_waited_comes_back_by_its_own_message(system: SmallSystem) -> None:
    # Given
    system.slack.fault(RateLimited(retry_after=1))

    # When
    system.start()
    system.ask("r1")
    dispatched = wait_until(
        lambda: system.record("r1").get("message_id"), description="it is dispatched"
    )
    statuses = system.wait_until_settled("r1")

    # Then
    assert statuses["r1"].status == "sent"
    assert len(system.posts_of("r1")) == 1
    assert system.noted("r1").count("dispatched") == 1, f"another message than {dispatched}"


def test_row_12_a_claim_whose_reply_was_lost_is_held_by_who_asks_again(
    make_system: Callable[..., SmallSystem], way: LossyProxy
) -> None:
    # Given: the server knows the script, and nobody else would come for a long time.
    system = make_system(ledger_way=way.url, lease_ms=LONG_MS, dispatch_window_ms=LONG_MS).start()
    system.ask("r0")
    system.wait_until_settled("r0")
    way.lose_next_reply(to=name_of_script("claim"))

    # When
    system.ask("r1")

    # Then
    assert_sent_once(system, "r1")
    assert way.lost_replies == 1


def test_row_13_copies_that_come_after_the_release_post_nothing(system: SmallSystem) -> None:
    # Given
    system.start()
    system.ask("r1")
    assert_sent_once(system, "r1")

    # When
    for _ in range(3):
        system.put_on_the_queue(system.message("r1"))
    wait_until(lambda: system.queued() == 0, description="the copies are worked on")

    # Then
    assert_sent_once(system, "r1")


def test_row_14_a_copy_that_was_held_off_comes_back_when_the_holder_has_died(
    system: SmallSystem,
) -> None:
    # Given: a holder that is never heard of again.
    system.ask("r1")
    claim = system.ledger.claim(R1, token="another", by="another worker, dead soon")
    assert isinstance(system.run(claim), Granted)

    # When
    system.put_on_the_queue(system.message("r1"))
    system.start_worker()
    wait_until(lambda: system.queued() == 0, description="the copy is acknowledged")
    noted = system.noted("r1")
    status = system.wait_until_settled("r1")["r1"]

    # Then
    assert noted[-1] == "held"
    assert status.attempts == 2, f"{status.attempts} attempts: holding off used up one"
    assert_sent_once(system, "r1")
