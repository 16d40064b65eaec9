"""Rule 8 where the intent itself is lost, and with it where the message went."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from actors.tenants_file import read_tenants_file
from projector.configure import configure
from sandbox.slack.faults import Reset
from tests.replicated_valkey import ReplicatedValkey
from tests.system.deliveries import OPS
from tests.system.guarantees.small_system import TENANTS, SmallSystem
from tests.system.guarantees.verdicts import assert_posted_once, assert_sent_once

if TYPE_CHECKING:
    from collections.abc import Iterator

MOVED = "C0MOVED"


@pytest.fixture
def replicated() -> Iterator[ReplicatedValkey]:
    with ReplicatedValkey() as servers:
        yield servers


@pytest.fixture
def system(replicated: ReplicatedValkey) -> Iterator[SmallSystem]:
    """With `r1` accepted, and nothing running yet; what comes now the replica never gets."""
    with SmallSystem(replicated.url, "g") as made:
        # The replica has it when it is answered.
        made.ledger = replace(made.ledger, wait_replicas=1)
        made.ask("r1")
        replicated.hold_back()
        yield made


def change(system: SmallSystem, old: str, new: str) -> None:
    configure(system.ledger, read_tenants_file(TENANTS.replace(old, new, 1)))


def post_and_forget(system: SmallSystem, replicated: ReplicatedValkey) -> None:
    """A worker posts it; then the primary dies and its replica, which knows nothing of that, takes
    over.
    """
    system.start_worker()
    system.wait_for_state("r1", "sent", "uncertain")
    system.stop_worker()
    replicated.fail_over()
    assert system.state("r1") == "waiting", "the intent was not lost"


def test_rule_8_what_may_have_gone_to_another_channel_is_not_posted_again(
    system: SmallSystem, replicated: ReplicatedValkey
) -> None:
    # Given
    post_and_forget(system, replicated)

    # When
    change(system, f"id: {OPS}", f"id: {MOVED}")
    system.start_worker()
    status = system.wait_until_settled("r1")["r1"]

    # Then
    assert_posted_once(system, "r1")
    assert (status.status, status.error) == ("unproven", "target_lost_and_channel_changed")


def test_rule_8_what_is_found_in_a_channel_that_was_changed_is_sent(
    system: SmallSystem, replicated: ReplicatedValkey
) -> None:
    # Given: the change is lost as well, so it is made again.
    change(system, f"id: {OPS}", f"id: {MOVED}")
    post_and_forget(system, replicated)

    # When
    change(system, f"id: {OPS}", f"id: {MOVED}")
    system.start_worker()

    # Then
    assert_sent_once(system, "r1")
    assert [post.channel for post in system.posts_of("r1")] == [MOVED]


def test_rule_8_what_can_have_gone_nowhere_else_and_is_absent_is_posted_again(
    system: SmallSystem, replicated: ReplicatedValkey
) -> None:
    # Given
    system.slack.fault(Reset(stored=False))
    post_and_forget(system, replicated)

    # When: what is changed is not its channel.
    change(system, "Hello", "Good day")
    system.start_worker()
    status = system.wait_until_settled("r1")["r1"]

    # Then
    assert status.status == "sent"
    assert len(system.attempts_of("r1")) == 2
    assert len(system.posts_of("r1")) == 1
