"""From a service's request to the message in Slack and its outcome, through real processes."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from middleware.answers import Accepted, Duplicate
from projector.listing import Filter, list_statuses
from projector.outcome_feed import outcomes
from projector.stats import stats
from sandbox.slack.faults import RateLimited, Silence, Slow
from tests.system.deliveries import OPS, SLOW, TENANT
from tests.system.processes import Installation
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projector.events import Outcome


@pytest.fixture(scope="module")
def module_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("logs")) as made:
        yield made.start_store()


@pytest.fixture
def installation(module_installation: Installation) -> Installation:
    """With a projector, a worker and an empty Slack."""
    module_installation.running_projector()
    module_installation.running_worker()
    module_installation.slack.clear()
    return module_installation


def told(installation: Installation, message_request_id: str) -> Outcome:
    """The outcome as a service that follows outcomes gets it."""
    feed = outcomes(group=message_request_id, ledger=installation.ledger)
    return next(each for each in feed if each.message_request_id == message_request_id)


def listed(installation: Installation, status: str) -> list[str]:
    found = list_statuses(installation.ledger, Filter(tenant=TENANT, status=status))
    return [each.message_request_id for each in found]


def wait_until_listed(installation: Installation, message_request_id: str, status: str) -> None:
    wait_until(
        lambda: message_request_id in listed(installation, status),
        description=f"{message_request_id} is listed as {status}",
        timeout_s=20,
    )


def test_a_request_becomes_a_message_and_its_outcome_is_told(installation: Installation) -> None:
    # When
    answer = installation.ask("way", variables={"name": "<Ada>"}, thread_ts="1700000000.000100")
    status = installation.wait_until_settled("way")["way"]

    # Then
    assert answer == Accepted()
    (post,) = installation.slack.posts
    assert installation.posts_of("way") == [post]
    assert (post.team, post.channel, post.text) == ("T1", OPS, "Hello &lt;Ada&gt;")
    assert post.thread_ts == "1700000000.000100"
    assert post.metadata is not None
    assert post.metadata["event_type"] == "postonce"
    receipt = {"channel": OPS, "ts": post.ts}
    assert (status.status, status.receipt, status.attempts) == ("sent", receipt, 1)
    outcome = told(installation, "way")
    assert (outcome.event, outcome.receipt, outcome.attempts) == ("sent", receipt, 1)
    wait_until_listed(installation, "way", "sent")
    events = installation.evidence_of("way", source="event")
    assert [each.what for each in events] == ["requested", "sent"]


def test_requests_repeated_in_any_order_are_posted_once_each(installation: Installation) -> None:
    # Given
    ids = [f"repeated-{number}" for number in range(40)]
    twice = random.sample([*ids, *ids], k=80)

    # When
    answers = [installation.ask(each) for each in twice]
    statuses = installation.wait_until_settled(*ids)

    # Then
    assert sum(answer == Accepted() for answer in answers) == 40
    assert sum(isinstance(answer, Duplicate) for answer in answers) == 40
    assert {each.status for each in statuses.values()} == {"sent"}
    assert sorted(post.text for post in installation.slack.posts) == sorted(
        f"Hello {each}" for each in ids
    )
    assert len(installation.slack.attempts) == 40


def test_what_is_to_be_sent_later_waits_for_its_time(installation: Installation) -> None:
    # Given
    send_at_s = time.time() + 2
    send_at = datetime.fromtimestamp(send_at_s, UTC).isoformat()

    # When
    installation.ask("later", send_at=send_at)
    delayed = stats(installation.ledger).delayed
    status = installation.wait_until_settled("later")["later"]

    # Then
    assert delayed == 1
    assert status.status == "sent"
    (post,) = installation.slack.posts
    assert send_at_s - 0.001 <= float(post.ts) < send_at_s + 10


def test_what_slack_does_not_take_now_comes_back_after_the_time_it_asked_for(
    installation: Installation,
) -> None:
    # Given
    installation.slack.fault(RateLimited(retry_after=1))

    # When
    installation.ask("limited")
    status = installation.wait_until_settled("limited")["limited"]

    # Then
    assert (status.status, status.attempts) == ("sent", 1)
    assert len(installation.attempts_of("limited")) == 2
    assert len(installation.posts_of("limited")) == 1
    at_ms = {each.what: each.at_ms for each in installation.evidence_of("limited")}
    assert at_ms["claimed"] - at_ms["postponed"] >= 1_000


@pytest.mark.parametrize("named", ["channel", "template"])
def test_an_unknown_code_is_rejected_and_never_reaches_slack(
    installation: Installation, named: str
) -> None:
    # When
    installation.ask(f"unknown-{named}", **{f"{named}_code": "unheard-of"})
    status = installation.wait_until_settled(f"unknown-{named}")[f"unknown-{named}"]

    # Then
    assert (status.status, status.error) == ("rejected", f"{named}_unknown")
    assert installation.slack.attempts == ()
    outcome = told(installation, f"unknown-{named}")
    assert (outcome.event, outcome.error) == ("rejected", f"{named}_unknown")
    wait_until_listed(installation, f"unknown-{named}", "rejected")


def test_what_a_killed_worker_was_posting_is_looked_for_and_posted_again_only_if_absent(
    installation: Installation,
) -> None:
    # Given
    installation.slack.fault(
        Slow(delay_ms=60_000, channel=SLOW), Silence(channel=SLOW, stored=False)
    )
    in_flight, others = ["killed-1", "killed-2"], ["spared-1", "spared-2", "spared-3"]
    for each in in_flight:
        installation.ask(each, channel_code="slow")
    installation.wait_for_attempts(2, channel=SLOW)

    # When
    installation.running_worker().kill()
    for each in others:
        installation.ask(each)
    installation.ready_worker()
    statuses = installation.wait_until_settled(*in_flight, *others)

    # Then
    assert {each.status for each in statuses.values()} == {"sent"}
    assert [len(installation.posts_of(each)) for each in (*in_flight, *others)] == [1] * 5
    # One of the two had arrived.
    assert sorted(len(installation.attempts_of(each)) for each in in_flight) == [1, 2]
    assert [len(installation.attempts_of(each)) for each in others] == [1] * 3
    assert "looking" in {each.what for each in installation.evidence_of("killed-1")}


def test_another_projector_takes_over_from_one_that_was_killed(installation: Installation) -> None:
    # Given
    first = installation.running_projector()
    installation.ask("before")
    wait_until_listed(installation, "before", "sent")

    # When
    first.kill()
    installation.ask("after")
    installation.running_projector()

    # Then
    assert installation.wait_until_settled("after")["after"].status == "sent"
    wait_until_listed(installation, "after", "sent")
    assert len(installation.attempts_of("after")) == 1


def test_losing_the_whole_queue_loses_nothing(installation: Installation) -> None:
    # Given
    ids = [f"flushed-{number}" for number in range(10)]
    worker = installation.running_worker()
    worker.pause()
    queued_before = installation.queued()
    for each in ids:
        installation.ask(each)
    wait_until(
        lambda: installation.queued() == queued_before + 10,
        description="all stand on the queue",
    )

    # When
    installation.ledger.store.client.delete(*installation.queue_keys())
    queued = installation.queued()
    worker.resume()
    statuses = installation.wait_until_settled(*ids)

    # Then
    assert queued == 0
    assert {each.status for each in statuses.values()} == {"sent"}
    assert [len(installation.attempts_of(each)) for each in ids] == [1] * 10
