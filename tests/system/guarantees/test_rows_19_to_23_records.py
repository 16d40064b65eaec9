"""Rows 19 to 23: what may happen to a record that has ended, whose it is, how large it gets."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from middleware.answers import Accepted, Conflict, Duplicate, Nothing, Ok, TooLate
from middleware.dispatch_once import new_marker
from middleware.errors import (
    AlreadyDispatched,
    AlreadySettled,
    NotDueYet,
    RequestUnknown,
    ThreadConflict,
)
from middleware.keys import Delivery
from middleware.operating import Order, redrive
from sandbox.slack.faults import ErrorCode, Slow
from tests.keyspace import immortal_keys
from tests.system.deliveries import TENANT
from tests.system.guarantees.small_system import LONG_MS, OTHER_TENANT
from tests.system.guarantees.verdicts import assert_posted_once, assert_sent_once
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from tests.system.guarantees.small_system import SmallSystem

R1 = Delivery(TENANT, "r1")
ORDER = Order(by="ada", why="the channel was unarchived")
# What is left of a request that was sent, all its keys together; `make bench` measures it.
MOST_BYTES = 3_000


def test_row_19_what_was_never_posted_is_redriven_and_what_was_sent_is_not(
    system: SmallSystem,
) -> None:
    # Given
    system.slack.fault(ErrorCode(code="is_archived"))
    system.start()
    system.ask("r1")
    ended = system.wait_until_settled("r1")["r1"].status

    # When
    first = system.run(redrive(system.ledger, R1, ORDER, marker=new_marker()))
    statuses = system.wait_until_settled("r1")
    second = system.run(redrive(system.ledger, R1, ORDER, marker=new_marker()))

    # Then
    assert (ended, first) == ("rejected", Ok()), "its own record blocks it"
    assert statuses["r1"].status == "sent"
    assert second == TooLate("sent"), "what was sent is posted again"
    assert_posted_once(system, "r1")


def test_row_20_one_id_of_two_tenants_names_two_requests(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given: both in one partition, where nothing else could keep them apart.
    system = make_system(partitions=1).start()

    # When
    answers = [system.ask("r1", tenant=tenant) for tenant in (TENANT, OTHER_TENANT)]
    ended = [
        system.wait_until_settled("r1", tenant=tenant)["r1"].status
        for tenant in (TENANT, OTHER_TENANT)
    ]

    # Then
    assert answers == [Accepted()] * 2, "one tenant's request was taken for the other's"
    assert ended == ["sent"] * 2
    assert sorted(post.team for post in system.slack.posts) == ["T1", "T2"]


def test_row_20_ids_that_differ_in_their_last_letter_name_two_requests(
    system: SmallSystem,
) -> None:
    # Given
    ids = ["x" * 199 + last for last in "ab"]
    system.start()

    # When
    answers = [system.ask(each) for each in ids]

    # Then
    assert answers == [Accepted()] * 2, "one request was taken for the other"
    assert_sent_once(system, *ids)


def test_row_20_another_request_under_a_known_id_is_a_loud_conflict(system: SmallSystem) -> None:
    # Given
    system.ask("r1", variables={"name": "Ada", "town": "London"})

    # When
    same = system.ask("r1", variables={"town": "London", "name": "Ada"})
    other = system.ask("r1", variables={"name": "Bob", "town": "London"})
    system.start()

    # Then
    assert same == Duplicate("waiting")
    assert other == Conflict("waiting"), "another text was dropped without a word"
    assert_sent_once(system, "r1")
    assert [post.text for post in system.slack.posts] == ["Hello Ada"]


def test_row_21_every_refusal_says_what_it_was(system: SmallSystem) -> None:
    # Given
    later = datetime.fromtimestamp(time.time() + 3_600, UTC).isoformat()
    system.ask("later", send_at=later)
    system.ask("dispatched")
    system.ask("threaded", thread_ts="1700000000.000100")
    system.ask("sent")
    system.actor.send("acme", "sent")
    system.start_worker()
    system.wait_until_settled("sent")
    system.stop_worker()
    system.actor.send("acme", "dispatched")

    # When, Then
    with pytest.raises(NotDueYet):
        system.actor.send("acme", "later")
    with pytest.raises(AlreadyDispatched):
        system.actor.send("acme", "dispatched")
    with pytest.raises(ThreadConflict):
        system.actor.send("acme", "threaded", "1700000000.000200")
    with pytest.raises(AlreadySettled):
        system.actor.send("acme", "sent")
    with pytest.raises(RequestUnknown):
        system.actor.send("acme", "unheard-of")
    assert system.noted("dispatched")[-1] == "dispatch refused", "the record does not tell"


def test_row_21_a_message_for_nothing_that_was_accepted_is_told_as_an_error(
    system: SmallSystem, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    system.start_worker()

    # When
    system.put_on_the_queue(system.message("unheard-of"))
    wait_until(lambda: system.queued() == 0, description="the message is worked on")

    # Then
    assert "claim.unknown delivery=acme/unheard-of" in caplog.text, "it was dropped silently"


def test_row_22_a_sweeper_lets_the_living_work_and_the_finished_rest(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    system = make_system(dispatch_window_ms=LONG_MS)
    system.slack.fault(Slow(delay_ms=500))
    system.start()
    system.ask("r1")
    system.wait_for_state("r1", "sending")

    # When
    while_it_lives = [system.run(system.ledger.sweep(R1)) for _ in range(20)]
    states = {system.state("r1")}
    system.wait_until_settled("r1")
    when_it_has_ended = [system.run(system.ledger.sweep(R1)) for _ in range(20)]

    # Then
    assert states == {"sending"}, "it was taken from who is posting it"
    assert "uncertain" not in system.noted("r1")
    assert system.state("r1") == "sent", f"it was made {system.state('r1')} after it had ended"
    assert {type(each) for each in while_it_lives + when_it_has_ended} == {Nothing}
    assert_sent_once(system, "r1")


def test_row_23_what_has_ended_expires_and_is_small(
    system: SmallSystem, client: redis.Redis
) -> None:
    # Given
    ids = [f"r{number}" for number in range(20)]
    system.start()

    # When
    for each in ids:
        system.ask(each, variables={"name": each, "text": "x" * 5_000})
    system.wait_until_settled(*ids)
    system.ask("bad", template_code="unheard-of")
    system.wait_until_settled("bad")
    wait_until(lambda: not system.open_views(), description="all is folded as ended")

    # Then
    prefix = system.ledger.keys.prefix
    immortal = [each for each in immortal_keys(client, prefix) if not each.endswith(":known")]
    assert immortal == [], f"{len(immortal)} keys never expire"
    own = list(client.scan_iter(match=f"{prefix}:*:acme:r7"))
    taken = sum(cast("int", client.memory_usage(each)) for each in own)
    assert taken < MOST_BYTES, f"{taken} bytes are left of one request"


def test_row_23_a_request_that_is_repeated_for_ever_grows_no_record(
    system: SmallSystem,
) -> None:
    # Given
    system.ask("r1")

    # When
    for number in range(300):
        system.ask("r1", variables={"name": f"another {number}"})

    # Then
    kept = len(system.noted("r1"))
    assert kept <= 50, f"{kept} repetitions are kept"
