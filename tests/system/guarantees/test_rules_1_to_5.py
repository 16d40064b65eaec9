"""Rules 1 to 5: what comes before a POST, and what before another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.tenants_file import read_tenants_file
from middleware.answers import Lost, TooEarly, Uncertain
from middleware.keys import Delivery
from projector.configure import configure
from sandbox.slack.faults import ErrorCode, Held, Reset
from tests.system.deliveries import OPS, TENANT
from tests.system.guarantees.points import Gate
from tests.system.guarantees.small_system import LONG_MS, TENANTS
from tests.system.guarantees.verdicts import assert_sent_once
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.system.guarantees.small_system import SmallSystem

R1 = Delivery(TENANT, "r1")
MOVED = "C0MOVED"


def move_the_channel(system: SmallSystem) -> None:
    """From now on the code `ops` names another channel."""
    configure(system.ledger, read_tenants_file(TENANTS.replace(f"id: {OPS}", f"id: {MOVED}")))


def looking_for(system: SmallSystem, *, token: str) -> Uncertain:
    """A POST was made, nobody knows what became of it, and this claim looks."""
    system.ask("r1")
    system.run(system.ledger.claim(R1, token="posts", by="a worker"))
    system.run(system.ledger.intend(R1, token="posts", target={"channel": OPS}))
    system.run(system.ledger.doubt(R1, token="posts", why="timeout"))
    claim = system.ledger.claim(R1, token=token, by="a worker", lease_ms=LONG_MS)
    answers: list[object] = []

    def may_be_looked_for() -> bool:
        answers.append(system.run(claim))
        return isinstance(answers[-1], Uncertain)

    wait_until(may_be_looked_for, description="the settle delay is over")
    doubt = answers[-1]
    assert isinstance(doubt, Uncertain)
    return doubt


def test_rule_1_the_ledger_knows_of_a_post_before_slack_does(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    gate = Gate("intended")
    system = make_system(at=gate).start()

    # When
    system.ask("r1")
    gate.wait_for_one()
    record = system.record("r1")
    attempts = len(system.attempts_of("r1"))
    gate.open()

    # Then
    assert attempts == 0
    assert record["state"] == "sending", f"it is posted while the ledger says {record['state']}"
    assert OPS in record["target"]
    assert_sent_once(system, "r1")


def test_rule_1_what_is_cancelled_while_it_is_prepared_is_not_posted(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    gate = Gate("claimed")
    system = make_system(at=gate).start()
    system.ask("r1")
    gate.wait_for_one()

    # When
    system.cancel("r1")
    gate.open()
    system.stop_worker()

    # Then
    assert system.attempts_of("r1") == [], "it was posted though it was cancelled"
    assert system.state("r1") == "cancelled"


def test_rule_2_what_was_rejected_is_not_posted_for_a_copy_that_comes_late(
    system: SmallSystem,
) -> None:
    # Given
    system.slack.fault(ErrorCode(code="is_archived"))
    system.start()
    system.ask("r1")
    system.wait_until_settled("r1")

    # When
    system.put_on_the_queue(system.message("r1"))
    wait_until(lambda: system.queued() == 0, description="the copy is worked on")

    # Then
    assert len(system.attempts_of("r1")) == 1, "what had ended was posted"
    assert system.state("r1") == "rejected"


def test_rule_3_nobody_looks_before_a_post_would_show(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given: something on the way holds the POST back, for longer than its worker waits for it.
    system = make_system(settle_delay_ms=2_000)
    system.slack.fault(Held(delay_ms=1_900))

    # When
    system.start()
    system.ask("r1")

    # Then
    assert_sent_once(system, "r1")
    assert "uncertain" in system.noted("r1")


def test_rule_3_a_read_that_began_too_early_proves_no_absence(system: SmallSystem) -> None:
    # Given
    doubt = looking_for(system, token="looks")

    # When
    answer = system.run(
        system.ledger.absent(R1, token="looks", read_begun_ms=doubt.reconcile_at_ms - 1)
    )

    # Then
    assert answer == TooEarly(), "it may be posted again, though it may still arrive"


def test_rule_3_who_lost_his_claim_proves_no_absence(system: SmallSystem) -> None:
    # Given: by now another looks.
    doubt = looking_for(system, token="looks")

    # When
    answer = system.run(system.ledger.absent(R1, token="looked", read_begun_ms=doubt.now_ms))

    # Then
    assert answer == Lost(), "two may post it again"


def test_rule_4_a_post_whose_time_has_passed_is_not_begun(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    gate = Gate("intended")
    system = make_system(at=gate, post_deadline_ms=200, lease_ms=LONG_MS).start()
    system.ask("r1")
    gate.wait_for_one()

    # When
    system.let_pass(ms=300)
    gate.open()
    wait_until(lambda: "sending" not in system.state("r1"), description="it is given back")

    # Then
    assert "postponed" in system.noted("r1"), "it was posted after its time"
    assert system.wait_until_settled("r1")["r1"].status == "sent"
    assert len(system.attempts_of("r1")) == 1


@pytest.mark.parametrize("stored", [True, False], ids=["arrived", "lost"])
def test_rule_5_a_post_is_looked_for_and_made_again_where_the_first_one_went(
    system: SmallSystem,
    stored: bool,  # noqa: FBT001 - one case of two
) -> None:
    # Given
    system.slack.fault(Reset(stored=stored))
    system.start()
    system.ask("r1")
    system.wait_for_state("r1", "uncertain")

    # When
    move_the_channel(system)
    status = system.wait_until_settled("r1")["r1"]

    # Then
    channels = [each.channel for each in system.posts_of("r1")]
    assert channels == [OPS], f"it stands in {' and '.join(map(str, channels))}"
    assert status.status == "sent"
