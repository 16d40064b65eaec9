"""Where writes may be lost, what is open is uncertain: rule 8 of design §4, over both ledgers."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from middleware import answers
from middleware.epochs import Entered, enter_epoch
from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.stub_ledger import ManualClock, StubLedger, StubStore
from middleware.timing import Timing
from tests.redis.delivering import Rig
from tests.redis.ledger_calls import OTHER, RECEIPT, TARGET, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.servers import ValkeyProcess

NOBODY = f"{0:040x}"
OPEN = ("waiting", "claimed", "sending", "uncertain", "looking")
TERMINAL = ("sent", "rejected", "expired", "cancelled", "unproven")


class Server:
    """Who answers, as the server itself would say."""

    def __init__(self) -> None:
        self._run, self._replication, self._followed = 1, 1, NOBODY

    def __call__(self) -> str:
        return f"{self._run:x} {self._replication:040x} {self._followed}"

    def restarts(self) -> None:
        self._run, self._replication, self._followed = (
            self._run + 1,
            self._replication + 1,
            NOBODY,
        )

    def is_replaced(self) -> None:
        """By a replica of it, promoted."""
        self._followed = f"{self._replication:040x}"
        self._run, self._replication = self._run + 1, self._replication + 1

    def takes_another_id(self) -> None:
        """As one does that was without replicas for long."""
        self._replication, self._followed = self._replication + 1, NOBODY


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(params=["valkey", "stub"])
def rig(request: pytest.FixtureRequest, server: Server) -> Iterator[Rig]:
    if request.param == "valkey":
        valkey: ValkeyProcess = request.getfixturevalue("valkey")
        keys = Keys(request.getfixturevalue("prefix"), partitions=2)
        clock = ManualClock()
        ledger = Ledger(Store(valkey.url, clock_ms=clock, identity=server), keys, Timing())
    else:
        ledger = StubLedger(identity=server)
        clock = ledger.clock
    with closing(ledger.store):
        driven = Rig(ledger, clock, Delivery("acme", "r1"))
        yield driven
        driven.view.check()


def enter(rig: Rig, *, is_durable: bool) -> Entered:
    partition = rig.ledger.keys.partition_of(rig.delivery.tenant)
    call = enter_epoch(rig.ledger.keys, rig.timing, partition, is_durable=is_durable)
    return rig.ledger.store.run(call)


def quiet_ms(rig: Rig) -> int:
    return rig.timing.post_deadline_ms + rig.timing.settle_delay_ms


@pytest.mark.parametrize("is_durable", [True, False])
def test_the_first_epoch_lasts_while_the_same_server_answers(rig: Rig, *, is_durable: bool) -> None:
    # When
    entered = [enter(rig, is_durable=is_durable) for _ in range(3)]

    # Then
    assert entered == [Entered(1, is_new=True), *[Entered(1, is_new=False)] * 2]


@pytest.mark.parametrize(
    ("what", "was_durable", "number"),
    [
        (Server.restarts, True, 1),
        (Server.restarts, False, 2),
        (Server.is_replaced, True, 2),
        (Server.is_replaced, False, 2),
        (Server.takes_another_id, True, 1),
        (Server.takes_another_id, False, 1),
    ],
)
def test_a_new_epoch_begins_where_writes_may_be_lost(
    rig: Rig, server: Server, what: Callable[[Server], None], number: int, *, was_durable: bool
) -> None:
    # Given
    enter(rig, is_durable=was_durable)

    # When
    what(server)
    first = enter(rig, is_durable=True)
    again = enter(rig, is_durable=True)

    # Then
    assert first == Entered(number, is_new=number > 1)
    assert again == Entered(number, is_new=False)


def test_what_counts_is_whether_the_server_that_ended_kept_its_writes(
    rig: Rig, server: Server
) -> None:
    # Given
    enter(rig, is_durable=True)
    enter(rig, is_durable=False)

    # When
    server.restarts()
    entered = enter(rig, is_durable=True)

    # Then
    assert entered.is_new


def test_a_server_that_keeps_nothing_does_not_begin_with_what_was_kept(
    rig: Rig, server: Server
) -> None:
    # Given
    enter(rig, is_durable=True)

    # When
    server.restarts()
    entered = enter(rig, is_durable=False)

    # Then
    assert entered.is_new


def test_a_sweep_notices_another_server_though_nothing_is_due(rig: Rig, server: Server) -> None:
    # Given
    rig.ledger.admit()
    partition = rig.ledger.keys.partition_of(rig.delivery.tenant)
    enter(rig, is_durable=True)

    # When
    server.is_replaced()
    rig.run(rig.ledger.due_tenants(partition, limit=1))
    server.restarts()

    # Then
    assert enter(rig, is_durable=True) == Entered(3, is_new=True)


@pytest.mark.parametrize("place", OPEN)
def test_what_was_open_is_uncertain_whatever_touches_it_first(
    rig: Rig, server: Server, place: str
) -> None:
    # Given
    rig.brought_to(place)
    before = rig.record()
    server.is_replaced()
    changed_at_ms = rig.clock.now_ms

    # When
    answer = rig.run(rig.claim(OTHER))

    # Then
    record = rig.record()
    look_from_ms = changed_at_ms + quiet_ms(rig)
    assert answer == answers.Wait(look_from_ms, "reconcile")
    assert (record["state"], record["counted"]) == ("uncertain", "uncertain")
    assert record["reconcile_at"] == record["due"] == str(look_from_ms)
    assert record["intent_at"] == before.get("intent_at", before["accepted_at"])
    assert record.get("target") == before.get("target")
    assert not record.keys() & {"token", "lease_until"}


@pytest.mark.parametrize("place", ["claimed", "sending"])
def test_nobody_posts_on_a_claim_of_an_earlier_epoch(rig: Rig, server: Server, place: str) -> None:
    # Given
    rig.brought_to(place)

    # When
    server.is_replaced()
    answer = rig.run(rig.intend(TOKEN))

    # Then
    assert answer == answers.Lost()
    assert rig.record()["state"] == "uncertain"


@pytest.mark.parametrize("place", ["waiting", "sending"])
def test_it_is_looked_for_before_it_is_posted(rig: Rig, server: Server, place: str) -> None:
    # Given
    rig.brought_to(place)
    server.is_replaced()
    swept_early = rig.run(rig.sweep())
    rig.clock.advance(ms=quiet_ms(rig))

    # When
    looking = rig.run(rig.claim(OTHER))
    reclaimed = rig.run(rig.absent(OTHER))
    go = rig.run(rig.intend(OTHER))

    # Then
    assert swept_early == answers.Nothing()
    assert isinstance(looking, answers.Uncertain)
    assert looking.target == (TARGET if place == "sending" else {})
    assert isinstance(reclaimed, answers.Reclaimed)
    assert isinstance(go, answers.Go)


def test_a_receipt_of_an_earlier_epoch_is_a_fact(rig: Rig, server: Server) -> None:
    # Given
    rig.claimed()

    # When
    server.is_replaced()
    answer = rig.run(rig.settle_sent(TOKEN))

    # Then
    assert answer == answers.Late()
    assert rig.told() == ["sent"]


def test_an_acceptance_says_that_it_is_uncertain(rig: Rig, server: Server) -> None:
    # Given
    rig.accepted()

    # When
    server.is_replaced()
    answer = rig.run(rig.accept(marker="marker of a repetition"))

    # Then
    assert answer == answers.Duplicate("uncertain")


def test_a_cancel_waits_for_a_proven_absence(rig: Rig, server: Server) -> None:
    # Given
    rig.accepted()
    server.is_replaced()

    # When
    asked = rig.run(rig.cancel())
    rig.clock.advance(ms=quiet_ms(rig))
    rig.run(rig.claim(OTHER))
    absent = rig.run(rig.absent(OTHER))

    # Then
    assert (asked, absent) == (answers.Asked(), answers.Settled("cancelled"))


def test_a_claim_that_intended_nothing_uses_no_attempt(rig: Rig, server: Server) -> None:
    # Given
    rig.claimed(max_attempts=1)
    server.is_replaced()

    # When
    rig.run(rig.claim(OTHER))
    rig.clock.advance(ms=quiet_ms(rig))
    rig.run(rig.claim(OTHER))
    answer = rig.run(rig.absent(OTHER))

    # Then
    assert answer == answers.Reclaimed(attempt=1)


def test_what_was_not_due_could_not_be_posted(rig: Rig, server: Server) -> None:
    # Given
    send_at_ms = rig.clock.now_ms + 2 * quiet_ms(rig)
    rig.accepted(not_before_ms=send_at_ms)

    # When
    server.is_replaced()
    early = rig.run(rig.claim())
    rig.clock.now_ms = send_at_ms
    on_time = rig.run(rig.claim())

    # Then
    assert early == answers.Wait(send_at_ms, "not due")
    assert isinstance(on_time, answers.Granted)


@pytest.mark.parametrize("outcome", TERMINAL)
def test_what_has_ended_stays_ended(rig: Rig, server: Server, outcome: str) -> None:
    # Given
    rig.ended(outcome)
    server.is_replaced()
    rig.ledger.run(rig.ledger.sweep(Delivery("acme", "another")))

    # When
    answer = rig.unchanged(rig.claim(OTHER))

    # Then
    assert answer == answers.Settled(outcome)


def test_what_is_accepted_afterwards_is_not_doubted(rig: Rig, server: Server) -> None:
    # Given
    rig.ledger.admit()
    server.is_replaced()

    # When
    rig.sending()

    # Then
    assert rig.run(rig.settle_sent()) == answers.Ok()


def test_an_epoch_after_the_doubt_puts_the_look_off(rig: Rig, server: Server) -> None:
    # Given
    rig.looking(TOKEN)
    looked_at_ms = rig.clock.now_ms

    # When
    server.is_replaced()
    answer = rig.run(rig.absent(TOKEN))

    # Then
    assert answer == answers.Lost()
    assert rig.record()["reconcile_at"] == str(looked_at_ms + quiet_ms(rig))


def test_coroutines_enter_the_new_epoch_too(rig: Rig, server: Server) -> None:
    # Given
    rig.claimed()
    server.is_replaced()

    async def ask() -> answers.IntendAnswer:
        try:
            return await rig.ledger.arun(rig.intend())
        finally:
            await rig.ledger.store.aclose()

    # When
    answer = asyncio.run(ask())

    # Then
    assert answer == answers.Lost()


def test_a_server_that_is_another_one_each_time_is_no_store() -> None:
    # Given
    server = Server()

    def never_the_same() -> str:
        server.restarts()
        return server()

    ledger = StubLedger(identity=never_the_same)
    assert isinstance(ledger.store, StubStore)
    rig = Rig(ledger, ledger.clock, Delivery("acme", "r1"))

    # When
    with pytest.raises(LedgerUnavailable, match="another server"):
        rig.run(rig.settle_sent(receipt=RECEIPT))

    # Then
    assert rig.record() == {}
