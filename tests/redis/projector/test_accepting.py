from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from middleware.answers import Accepted, Conflict, Duplicate
from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery
from middleware.ledger import Acceptance, Ledger
from middleware.store import Store
from projector import RefusedInput, request, request_many, set_ledger
from projector.errors import RequestRefused, RequestsInterrupted
from projector.message_request import parse_stored
from projector.status import read_status
from tests.redis.projector.asking import ask, fields, post, reject, stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import redis

    from middleware.script import Call
    from sandbox.servers import ValkeyProcess


def test_a_request_is_accepted_once(ledger: Ledger) -> None:
    # Given
    first = request(ledger=ledger, **fields())

    # When
    again = request(ledger=ledger, **fields(thread_ts=None, priority="normal"))

    # Then
    assert (first, again) == (Accepted(), Duplicate("waiting"))


@pytest.mark.parametrize("expires_at", ["1970-01-01T00:00:00Z", "2001-01-01T00:00:00Z"])
def test_an_expiry_that_is_over_is_honoured(ledger: Ledger, expires_at: str) -> None:
    # Given
    delivery = ask(ledger, expires_at=expires_at)

    # When
    ledger.run(ledger.sweep(delivery))

    # Then
    status = read_status(ledger, "acme", "r1")
    assert status is not None
    assert status.status == "expired"


def test_another_request_under_the_same_id_is_told_that_it_conflicts(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    delivery = ask(ledger)
    body = client.get(ledger.keys.request(delivery))

    # When
    answer = request(ledger=ledger, **fields(variables={"host": "db-2"}))

    # Then
    assert answer == Conflict("waiting")
    assert client.get(ledger.keys.request(delivery)) == body


def test_a_repetition_is_told_how_the_request_ended(ledger: Ledger) -> None:
    # Given
    post(ledger, ask(ledger, "sent"))
    reject(ledger, ask(ledger, "rejected"))

    # When
    answers = [request(ledger=ledger, **fields(end)) for end in ("sent", "rejected")]

    # Then
    assert answers == [Duplicate("sent"), Duplicate("rejected")]


def test_a_call_whose_reply_was_lost_is_not_a_duplicate_of_itself(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    acceptance = Acceptance(
        fingerprint="f", marker="m", actor="send_message", queue="slack", body="{}"
    )
    call = ledger.accept(Delivery("acme", "r1"), acceptance)

    # When
    answers = [ledger.run(call), ledger.run(call)]

    # Then
    assert answers == [Accepted(), Accepted()]
    assert client.xlen(ledger.keys.requests(ledger.keys.partition_of("acme"))) == 1


def test_the_log_holds_the_request_as_it_was_asked_for(ledger: Ledger, client: redis.Redis) -> None:
    # Given
    ask(ledger, priority="high", send_at="2026-12-01T10:00:00+01:00")

    # When
    ((_, event),) = stream(client, ledger.keys.requests(ledger.keys.partition_of("acme")))

    # Then
    stored = parse_stored(event["body"], Delivery("acme", "r1"))
    assert (event["event"], event["tenant"], event["id"]) == ("requested", "acme", "r1")
    assert (stored.priority, stored.variables) == ("high", {"host": "db-1"})


def test_bad_input_is_refused_with_every_problem_and_leaves_nothing(
    ledger: Ledger, client: redis.Redis, prefix: str
) -> None:
    # Given
    bad = fields(channel_code="o p s", priority="urgent")

    # When
    with pytest.raises(RequestRefused) as refused:
        request(ledger=ledger, **bad)

    # Then
    assert {problem.field for problem in refused.value.problems} == {"channel_code", "priority"}
    assert client.keys(f"{prefix}:*") == []


def test_many_are_answered_in_order_and_a_bad_one_stops_nobody(ledger: Ledger) -> None:
    # Given
    items: list[Mapping[str, object] | str] = [
        fields("r1"),
        "{",
        fields("r1"),
        fields("r2"),
        fields("r2", priority="low"),
    ]

    # When
    answers = list(request_many(items, ledger=ledger))

    # Then
    assert isinstance(answers[1], RefusedInput)
    assert [*answers[:1], *answers[2:]] == [
        Accepted(),
        Duplicate("waiting"),
        Accepted(),
        Conflict("waiting"),
    ]


def test_many_may_be_without_end(ledger: Ledger) -> None:
    # Given
    endless = (fields(f"r{number}") for number in count())

    # When
    answers = request_many(endless, ledger=ledger)

    # Then
    assert next(answers) == Accepted()


def test_when_the_store_fails_it_says_how_far_it_came_and_running_again_is_safe(
    ledger: Ledger, valkey: ValkeyProcess
) -> None:
    # Given
    items = [fields(f"r{number}") for number in range(300)]
    failing = Ledger(_StoreOfOnePipeline(valkey.url), ledger.keys, ledger.timing)
    answered: list[object] = []

    # When
    with pytest.raises(RequestsInterrupted) as interrupted:
        answered.extend(request_many(items, ledger=failing))
    failing.store.close()

    # Then
    assert interrupted.value.reached == len(answered) > 0
    answers = list(request_many(items, ledger=ledger))
    assert set(answers[: len(answered)]) == {Duplicate("waiting")}
    assert set(answers[len(answered) :]) <= {Duplicate("waiting"), Accepted()}


def test_a_service_needs_no_ledger_of_its_own(ledger: Ledger) -> None:
    # Given
    set_ledger(ledger)

    # When
    try:
        answer = request(**fields())
    finally:
        set_ledger(None)

    # Then
    assert answer == Accepted()


@pytest.fixture(autouse=True)
def _no_ledger_is_left_behind() -> Iterator[None]:
    yield
    set_ledger(None)


class _StoreOfOnePipeline(Store):
    """Carries out every pipeline of requests and loses the reply of each but the first."""

    pipelines = 0

    def run_many(self, calls: Sequence[Call[object]]) -> list[object]:  # type: ignore[override]
        answers = super().run_many(calls)
        self.pipelines += calls[0].script.name == "accept"
        if self.pipelines > 1:
            raise LedgerUnavailable("the connection was lost")
        return answers
