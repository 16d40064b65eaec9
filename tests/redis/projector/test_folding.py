from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from middleware.keys import Delivery
from projector.event_log import LoggedEvent, Position, Stream, read_again, read_events
from projector.events import Event, MessageRequested, Outcome, TenantConfigured, parse_event
from projector.fold import Applied, Gap, Seen, fold, quarantine
from projector.message_request import parse_request
from tests.redis.projector.asking import RECEIPT, ask, fields, stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from middleware.ledger import Ledger
    from projector.fold import FoldAnswer

DELIVERY = Delivery("acme", "r1")
# What is older than the retention would be forgotten at once.
REQUESTED_AT_MS = int(time.time() * 1_000)


def requested() -> MessageRequested:
    body = parse_request(fields(), now_ms=REQUESTED_AT_MS).canonical_json()
    event = parse_event({"event": "requested", "tenant": "acme", "id": "r1", "body": body})
    assert isinstance(event, MessageRequested)
    return event


def outcome(event: str, *, at_ms: int = REQUESTED_AT_MS + 500, **others: str) -> Outcome:
    parsed = parse_event(
        {
            "event": event,
            "tenant": "acme",
            "id": "r1",
            "at": str(at_ms),
            "attempts": "1",
            "error": "",
            "reason": "",
            "receipt": json.dumps(RECEIPT),
            **others,
        }
    )
    assert isinstance(parsed, Outcome)
    return parsed


class Folder:
    """Folds events as if each came next in its stream."""

    def __init__(self, ledger: Ledger, client: redis.Redis) -> None:
        self.ledger = ledger
        self._client = client
        self._last: dict[Stream, str] = {"requests": "0-0", "outcomes": "0-0"}

    def place(self, event: Event, *, number: int | None = None) -> LoggedEvent:
        stream: Stream = "outcomes" if isinstance(event, Outcome) else "requests"
        after = self._last[stream]
        entry_id = f"{REQUESTED_AT_MS}-{int(after.split('-')[1]) + 1 if number is None else number}"
        return LoggedEvent(
            partition=self.ledger.keys.partition_of("acme"),
            stream=stream,
            after=after,
            id=entry_id,
            fields={},
        )

    def fold(self, event: Event) -> FoldAnswer:
        placed = self.place(event)
        self._last[placed.stream] = placed.id
        return self.ledger.run(fold(self.ledger, placed, event, generation=0))

    def listed(self) -> list[str]:
        """The views that hold the request."""
        key = self.ledger.keys.listed("acme", "*", 0)
        return sorted(
            found.rpartition(":")[2]
            for found in self._client.scan_iter(match=key.replace("{", r"\{"))
            if self._client.zscore(found, "r1") is not None
        )

    def timeline(self) -> list[str]:
        entries = self._client.lrange(self.ledger.keys.timeline(DELIVERY, 0), 0, -1)
        return [json.loads(entry)[1] for entry in entries]


@pytest.fixture
def folder(ledger: Ledger, client: redis.Redis) -> Iterator[Folder]:
    ask(ledger)
    yield Folder(ledger, client)
    # These events did not happen to the record, which would tell that their views may stay.
    client.unlink(ledger.keys.timeline(DELIVERY, 0))


def test_a_request_is_open_until_its_outcome(folder: Folder) -> None:
    # Given
    folder.fold(requested())
    before = folder.listed()

    # When
    answer = folder.fold(outcome("sent"))

    # Then
    assert answer == Applied()
    assert (before, folder.listed()) == (["open"], ["sent"])
    assert folder.timeline() == ["requested", "sent"]


def test_folding_an_event_twice_changes_nothing(folder: Folder, ledger: Ledger) -> None:
    # Given
    event = requested()
    placed = folder.place(event)
    folder.fold(event)
    folder.fold(outcome("sent"))

    # When
    answer = ledger.run(fold(ledger, placed, event, generation=0))

    # Then
    assert answer == Seen()
    assert folder.listed() == ["sent"]
    assert folder.timeline() == ["requested", "sent"]


def test_an_event_from_before_the_position_changes_nothing(folder: Folder, ledger: Ledger) -> None:
    # Given
    early = folder.place(outcome("unproven"))
    folder.fold(outcome("unproven"))
    folder.fold(outcome("sent"))

    # When
    answer = ledger.run(fold(ledger, early, outcome("unproven"), generation=0))

    # Then
    assert answer == Seen()
    assert folder.listed() == ["sent"]


def test_an_event_whose_predecessor_is_not_folded_waits_for_it(
    folder: Folder, ledger: Ledger
) -> None:
    # Given
    folder.fold(requested())
    first = folder.place(requested())
    second = LoggedEvent(
        partition=first.partition,
        stream="requests",
        after=first.id,
        id=f"{REQUESTED_AT_MS}-9",
        fields={},
    )

    # When
    answers = ledger.run_many([fold(ledger, second, requested(), generation=0)])

    # Then
    assert answers == [Gap(first.after)]
    assert folder.timeline() == ["requested"]


def test_ids_are_compared_as_numbers_and_not_as_text(folder: Folder, ledger: Ledger) -> None:
    # Given
    for _ in range(9):
        folder.fold(requested())
    tenth = folder.place(requested())

    # When
    answer = ledger.run(fold(ledger, tenth, requested(), generation=0))

    # Then
    assert tenth.id.endswith("-10")
    assert answer == Applied()


def test_an_outcome_folded_before_its_request_is_not_opened_again_by_it(folder: Folder) -> None:
    # Given
    folder.fold(outcome("rejected"))

    # When
    folder.fold(requested())

    # Then
    assert folder.listed() == ["rejected"]
    assert folder.timeline() == ["requested", "rejected"]


def test_a_receipt_found_later_moves_an_unproven_request_to_sent(folder: Folder) -> None:
    # Given
    folder.fold(requested())
    folder.fold(outcome("unproven"))
    before = folder.listed()

    # When
    folder.fold(outcome("sent"))

    # Then
    assert (before, folder.listed()) == (["unproven"], ["sent"])


def test_a_late_post_stands_in_the_timeline_and_changes_no_list(folder: Folder) -> None:
    # Given
    folder.fold(requested())
    folder.fold(outcome("expired"))

    # When
    folder.fold(outcome("late_post"))

    # Then
    assert folder.listed() == ["expired"]
    assert folder.timeline() == ["requested", "expired", "late_post"]


def test_a_late_post_of_what_is_forgotten_makes_no_timeline_that_nothing_would_end(
    folder: Folder,
) -> None:
    # When
    answer = folder.fold(outcome("late_post"))

    # Then
    assert answer == Applied()
    assert folder.timeline() == []


@pytest.mark.parametrize("ended", ["rejected", "expired", "cancelled", "unproven"])
def test_what_is_redriven_is_open_again_and_stays(
    folder: Folder, ledger: Ledger, client: redis.Redis, ended: str
) -> None:
    # Given
    folder.fold(requested())
    folder.fold(outcome(ended))

    # When
    answer = folder.fold(outcome("redriven", by="ada@ops", why="the channel is back"))

    # Then
    timeline = client.lrange(ledger.keys.timeline(DELIVERY, 0), 0, -1)
    _, _, details = json.loads(timeline[-1])
    assert answer == Applied()
    assert folder.listed() == ["open"]
    assert folder.timeline() == ["requested", ended, "redriven"]
    assert details == {"by": "ada@ops", "why": "the channel is back"}
    assert client.pttl(ledger.keys.timeline(DELIVERY, 0)) == -1


def test_what_is_redriven_ends_again(folder: Folder, ledger: Ledger, client: redis.Redis) -> None:
    # Given
    folder.fold(requested())
    folder.fold(outcome("rejected"))
    folder.fold(outcome("redriven", by="ada@ops", why="the channel is back"))

    # When
    folder.fold(outcome("sent"))

    # Then
    assert folder.listed() == ["sent"]
    assert client.pttl(ledger.keys.timeline(DELIVERY, 0)) > 0


def test_a_request_folded_after_it_was_redriven_is_open(folder: Folder) -> None:
    # Given
    folder.fold(outcome("rejected"))
    folder.fold(outcome("redriven", by="ada@ops", why="the channel is back"))

    # When
    folder.fold(requested())

    # Then
    assert folder.listed() == ["open"]


def test_what_has_ended_is_kept_for_the_retention_from_its_end_on(
    folder: Folder, ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    folder.fold(requested())
    open_ms = client.pttl(ledger.keys.timeline(DELIVERY, 0))
    ended = outcome("sent")

    # When
    folder.fold(ended)

    # Then
    assert open_ms == -1
    for key in (ledger.keys.timeline(DELIVERY, 0), ledger.keys.listed("acme", "sent", 0)):
        assert client.pexpiretime(key) == ended.at_ms + ledger.timing.retention_ms


def test_each_outcome_trims_its_list_of_what_is_older_than_the_retention(
    folder: Folder, ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    ended = outcome("sent")
    forgotten_ms = ended.at_ms - ledger.timing.retention_ms
    listed = ledger.keys.listed("acme", "sent", 0)
    client.zadd(listed, {"forgotten": forgotten_ms, "kept": forgotten_ms + 1})

    # When
    folder.fold(ended)

    # Then
    assert client.zrange(listed, 0, -1) == ["kept", "r1"]


def test_an_id_used_again_after_the_retention_is_open(
    folder: Folder, ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    folder.fold(outcome("rejected", at_ms=1_000))
    rejected = ledger.keys.listed("acme", "rejected", 0)
    # As a list that no later outcome has trimmed.
    client.zadd(rejected, {"r1": 1_000})
    client.pexpire(rejected, 60_000)

    # When
    folder.fold(requested())

    # Then
    assert folder.listed() == ["open"]
    assert folder.timeline() == ["requested"]


def test_a_request_that_ended_longer_ago_than_the_retention_is_not_opened(
    folder: Folder, ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    folder.fold(outcome("sent", at_ms=1_000))
    client.unlink(ledger.keys.delivery(DELIVERY), ledger.keys.history(DELIVERY))
    client.unlink(ledger.keys.request(DELIVERY))

    # When
    folder.fold(requested())

    # Then
    assert folder.listed() == []
    assert folder.timeline() == ["requested"]
    assert client.pttl(ledger.keys.timeline(DELIVERY, 0)) > 0


def test_a_configured_tenant_becomes_known(
    folder: Folder, ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    event = TenantConfigured(event="configured", tenant="acme", version=1)

    # When
    answer = folder.fold(event)

    # Then
    assert answer == Applied()
    assert client.smembers(ledger.keys.known(ledger.keys.partition_of("acme"))) == {"acme"}


def test_quarantine_moves_the_position_with_it(
    folder: Folder, ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    placed = folder.place(requested())

    # When
    answers = [ledger.run(quarantine(ledger, placed, error="bad", generation=0)) for _ in range(2)]

    # Then
    assert answers == [Applied(), Seen()]
    ((_, kept),) = stream(client, ledger.keys.quarantine(placed.partition, 0))
    assert kept == {"stream": "requests", "id": placed.id, "error": "bad"}
    folded = client.hgetall(ledger.keys.projection(placed.partition))
    assert folded == {"0:requests": placed.id, "0:requests:folded": "1"}


def test_the_log_is_read_in_the_order_of_time_over_both_streams(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    client.xadd(ledger.keys.requests(0), {"n": "1"}, id="10-2")
    client.xadd(ledger.keys.outcomes(0), {"n": "2"}, id="10-10")
    client.xadd(ledger.keys.requests(0), {"n": "3"}, id="11-0")

    # When
    events = read_events(ledger, 0, Position(), block_ms=1)

    # Then
    assert [event.id for event in events] == ["10-2", "10-10", "11-0"]
    assert [event.after for event in events] == ["0-0", "0-0", "10-2"]


def test_what_is_read_again_is_in_the_order_of_time_though_one_stream_is_longer_than_a_batch(
    ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    for number in range(1, 201):
        client.xadd(ledger.keys.requests(0), {"n": "1"}, id=f"{number}-1")
    for number in (5, 150, 201):
        client.xadd(ledger.keys.outcomes(0), {"n": "2"}, id=f"{number}-2")
    position, until = Position(), Position("200-1", "150-2")
    order: list[tuple[int, int]] = []

    # When
    while batch := read_again(ledger, 0, position, until):
        order += [event.moment for event in batch]
        last = {event.stream: event.id for event in batch}
        position = Position(
            last.get("requests", position.requests), last.get("outcomes", position.outcomes)
        )

    # Then
    assert order == sorted(order)
    assert len(order) == 202
    assert order[-1] == (200, 1)


def test_a_quiet_log_gives_nothing(ledger: Ledger) -> None:
    # Given
    start = Position()

    # When
    events = read_events(ledger, 0, start, block_ms=1)

    # Then
    assert events == []
