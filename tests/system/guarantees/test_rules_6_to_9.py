"""Rules 6 to 9: an open intent is reconciled, a receipt is a fact, a doubt ends."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from actors.slack.errors import InstallationMissing
from middleware.answers import Asked
from sandbox.servers import HOST, ValkeyProcess
from sandbox.slack.faults import ErrorCode, Reset, Slow
from tests.lossy_proxy import LossyProxy
from tests.system.guarantees.points import Gate
from tests.system.guarantees.small_system import LONG_MS, EveryTeam, SmallSystem
from tests.system.guarantees.verdicts import assert_posted_once, assert_sent_once
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable


class _NeverInstalled(EveryTeam):
    def token_for(self, team_id: str) -> str:
        raise InstallationMissing(team_id)


def in_s(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()


def follow(replica: ValkeyProcess, primary: ValkeyProcess) -> None:
    """Return when the replica has all that the primary has."""
    with primary.client() as leading, replica.client() as following:
        following.replicaof(HOST, str(primary.port))
        wait_until(
            lambda: following.info("replication").get("master_link_status") == "up",
            description="the replica follows",
        )
        assert leading.wait(1, 5_000) == 1


def promote(replica: ValkeyProcess) -> None:
    with replica.client() as following:
        following.replicaof("NO", "ONE")


def test_rule_6_a_post_that_may_have_arrived_does_not_expire(system: SmallSystem) -> None:
    # Given
    system.slack.fault(Reset(stored=True))
    system.start()

    # When: its time runs out before it can be looked for.
    system.ask("r1", expires_at=in_s(1))
    system.wait_for_state("r1", "uncertain")

    # Then
    assert_sent_once(system, "r1")


def test_rule_6_a_post_that_may_have_arrived_is_not_cancelled(system: SmallSystem) -> None:
    # Given
    system.slack.fault(Slow(delay_ms=700))
    system.start()
    system.ask("r1")
    system.wait_for_state("r1", "sending")

    # When
    answer = system.cancel("r1")

    # Then
    assert answer == Asked(), "it is recorded as cancelled while it is posted"
    assert_sent_once(system, "r1")


def test_rule_7_a_receipt_that_comes_late_is_taken_over_unproven(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given: nobody can tell, while the one who knows is away.
    gate = Gate("posted")
    system = make_system(at=gate).start()
    system.slack.change(history_readable=False)
    system.ask("r1")
    gate.wait_for_one()
    system.wait_for_state("r1", "unproven")

    # When
    gate.open()
    system.stop_worker()

    # Then
    assert system.state("r1") == "sent", "a receipt in hand was thrown away"
    assert_posted_once(system, "r1")


def test_rule_7_no_two_claims_share_a_token(make_system: Callable[..., SmallSystem]) -> None:
    # Given: one that has lost its claim to another, which is posting.
    gate = Gate("claimed")
    system = make_system(at=gate).start()
    system.slack.fault(Slow(delay_ms=900))
    system.ask("r1")
    gate.wait_for_one()
    system.wait_for_state("r1", "sending")

    # When
    gate.open()

    # Then
    assert_sent_once(system, "r1")


def test_rule_8_a_replica_that_missed_a_post_does_not_repeat_it() -> None:
    # Given: two servers that keep every write, and a partition between them before the POST.
    at_once = {"repl-diskless-sync-delay": "0"}
    with (
        ValkeyProcess(appendonly=True, config=at_once) as primary,
        ValkeyProcess(appendonly=True, config=at_once) as replica,
        LossyProxy(primary.port) as way,
        SmallSystem(way.url, "g") as system,
    ):
        system.ask("r1")
        follow(replica, primary)
        promote(replica)
        system.start_worker()
        assert_sent_once(system, "r1")
        system.stop_worker()

        # When
        primary.kill()
        way.down()
        way.lead_to(replica.port)
        way.up()
        forgotten = system.state("r1")
        system.start_worker()
        system.wait_until_settled("r1")

        # Then
        assert forgotten == "waiting"
        assert_sent_once(system, "r1")


def test_rule_9_a_doubt_that_no_look_can_settle_ends_unproven(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    system = make_system(reconcile_limit_ms=1)
    unclear = ErrorCode(method="conversations.history", code="unheard_of_by_anyone", times=None)
    system.slack.fault(Reset(stored=True), unclear)

    # When
    system.start()
    system.ask("r1", expires_at=in_s(1))
    status = system.wait_until_settled("r1")["r1"]

    # Then
    assert status.status == "unproven"
    assert len(system.attempts_of("r1")) == 1


def test_rule_9_what_waits_for_a_person_who_never_comes_expires(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    system = make_system(installations=_NeverInstalled(), dispatch_window_ms=LONG_MS).start()

    # When
    system.ask("r1", expires_at=in_s(1))
    status = system.wait_until_settled("r1")["r1"]

    # Then
    assert (status.status, status.attempts) == ("expired", 0)
    assert system.attempts_of("r1") == []
