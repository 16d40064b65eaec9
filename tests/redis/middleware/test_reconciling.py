"""After a POST of unknown fate only looking is allowed, until absence is proven."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from dramatiq.middleware import Shutdown

from middleware.fates import Absent, CannotTell, Found, NotNow
from middleware.ledger import Ledger
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.doubting import post_into_doubt, when_it_may_be_looked_for
from tests.redis.middleware.provider import TARGET
from tests.redis.middleware.stores import InterruptedStore

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock
    from sandbox.servers import ValkeyProcess
    from tests.redis.middleware.application import Kind


def test_nobody_looks_before_the_post_would_show(app: Application, clock: ManualClock) -> None:
    # Given
    post_into_doubt(app)

    # When
    clock.advance(ms=app.ledger.timing.settle_delay_ms)
    app.sweep_and_work()

    # Then
    assert app.provider.looked_at == []
    assert app.state() == "uncertain"


def test_a_copy_of_the_message_does_not_look_before_either(app: Application) -> None:
    # Given
    message = app.actor.message(R1.tenant, R1.id)
    app.provider.takes.come(TimeoutError())
    app.broker.enqueue(message)
    with app.working():
        app.join()

        # When
        app.broker.enqueue(message)
        app.join()

    # Then
    assert len(app.provider.started) == 1
    assert app.state() == "uncertain"


def test_what_is_found_is_sent_without_another_post(doubtful: Application) -> None:
    # Given
    doubtful.provider.looks.come(Found({"ts": "170.01"}))

    # When
    doubtful.sweep_and_work()

    # Then
    assert doubtful.told() == ["sent"]
    assert doubtful.record()["receipt"] == '{"ts":"170.01"}'
    assert doubtful.provider.looked_at == [TARGET]
    assert len(doubtful.provider.posts) == 1
    assert doubtful.provider.prepared == 1


def test_what_can_never_be_told_is_unproven_and_not_posted_again(doubtful: Application) -> None:
    # Given
    doubtful.provider.looks.come(CannotTell("no_history_scope", final=True))

    # When
    doubtful.sweep_and_work()

    # Then
    assert doubtful.told() == ["unproven"]
    assert doubtful.record()["error"] == "no_history_scope"
    assert len(doubtful.provider.posts) == 1


def test_what_cannot_be_told_yet_is_looked_for_again(
    doubtful: Application, clock: ManualClock
) -> None:
    # Given
    doubtful.provider.looks.come(
        CannotTell("rate_limited", final=False, delay_ms=90_000), Found({"ts": "170.01"})
    )
    doubtful.sweep_and_work()
    waits_until_ms = int(doubtful.record()["not_before"])
    asked_until_ms = clock.now_ms + 90_000

    # When
    clock.advance(ms=90_000)
    doubtful.sweep_and_work()

    # Then
    assert waits_until_ms == asked_until_ms
    assert len(doubtful.provider.looked_at) == 2
    assert doubtful.told() == ["sent"]


@pytest.mark.parametrize("answer", [OSError(), KeyError(), None, True], ids=repr)
def test_a_look_that_fails_proves_nothing_and_is_repeated(
    doubtful: Application, clock: ManualClock, answer: object
) -> None:
    # Given
    doubtful.provider.looks.come(answer, Found({"ts": "170.01"}))
    doubtful.sweep_and_work()
    after_failure = doubtful.state(), doubtful.record().get("looks"), doubtful.told()

    # When
    clock.advance(ms=60_000)
    doubtful.sweep_and_work()

    # Then
    assert after_failure == ("uncertain", None, [])
    assert doubtful.told() == ["sent"]
    assert len(doubtful.provider.posts) == 1


def test_an_actor_that_fails_before_it_looks_leaves_the_doubt(
    doubtful: Application, clock: ManualClock
) -> None:
    # Given
    doubtful.provider.starts.come(ValueError())
    doubtful.sweep_and_work()

    # When
    clock.advance(ms=60_000)
    doubtful.provider.looks.come(Found({"ts": "170.01"}))
    doubtful.sweep_and_work()

    # Then
    assert doubtful.told() == ["sent"]
    assert len(doubtful.provider.posts) == 1


def test_reconciling_that_never_tells_ends_unproven(
    doubtful: Application, clock: ManualClock
) -> None:
    # Given
    doubtful.provider.looks.come(
        CannotTell("no_answer", final=False), CannotTell("no_answer", final=False)
    )
    doubtful.sweep_and_work()

    # When
    clock.advance(ms=doubtful.ledger.timing.expires_after_ms)
    doubtful.sweep_and_work()

    # Then
    assert doubtful.told() == ["unproven"]
    assert len(doubtful.provider.posts) == 1


def test_a_look_that_could_not_be_made_counts_as_none(
    doubtful: Application, clock: ManualClock
) -> None:
    # Given
    doubtful.provider.looks.come(NotNow("rate_limited", 90_000), CannotTell("no", final=False))
    clock.advance(ms=doubtful.ledger.timing.expires_after_ms)

    # When
    doubtful.sweep_and_work()
    after_none = doubtful.told(), doubtful.record()["not_before"]
    asked_until_ms = clock.now_ms + 90_000
    clock.advance(ms=90_000)
    doubtful.sweep_and_work()

    # Then
    assert after_none == ([], str(asked_until_ms))
    assert doubtful.told() == ["unproven"]


def test_each_further_post_that_is_found_is_recorded_as_a_duplicate(doubtful: Application) -> None:
    # Given
    doubtful.provider.looks.come(Found({"ts": "170.01"}, duplicates=({"ts": "171.02"},)))

    # When
    doubtful.sweep_and_work()

    # Then
    assert doubtful.told() == ["sent", "duplicate_post"]
    assert doubtful.record()["receipt"] == '{"ts":"170.01"}'


@pytest.mark.parametrize("has_run", [True, False])
def test_no_further_post_is_forgotten_by_an_interrupt(
    valkey: ValkeyProcess, ledger: Ledger, clock: ManualClock, kind: Kind, *, has_run: bool
) -> None:
    # Given
    interrupt = Shutdown() if kind == "sync" else asyncio.CancelledError()
    with closing(
        InterruptedStore(
            valkey.url, clock, script="settle_sent", interrupt=interrupt, has_run=has_run
        )
    ) as store:
        app = Application(Ledger(store, ledger.keys, ledger.timing), kind)
        post_into_doubt(app)
        when_it_may_be_looked_for(app, clock)
        app.provider.looks.come(Found({"ts": "170.01"}, duplicates=({"ts": "171.02"},)))

        # When
        app.sweep_and_work()

        # Then
        assert app.told() == ["sent", "duplicate_post"]


def test_a_read_that_began_while_the_post_could_still_arrive_proves_no_absence(
    doubtful: Application, clock: ManualClock
) -> None:
    # Given
    reconcile_at_ms = int(doubtful.record()["reconcile_at"])
    doubtful.provider.looks.come(Absent(read_begun_ms=reconcile_at_ms - 1), Found({"ts": "170.01"}))
    doubtful.sweep_and_work()
    after_early_read = doubtful.state()

    # When
    clock.advance(ms=60_000)
    doubtful.sweep_and_work()

    # Then
    assert after_early_read == "uncertain"
    assert doubtful.told() == ["sent"]
    assert len(doubtful.provider.posts) == 1


def test_a_read_shared_with_an_earlier_claim_proves_absence(doubtful: Application) -> None:
    # Given
    reconcile_at_ms = int(doubtful.record()["reconcile_at"])
    doubtful.provider.looks.come(Absent(read_begun_ms=reconcile_at_ms))

    # When
    doubtful.sweep_and_work()

    # Then
    assert doubtful.told() == ["sent"]
    assert len(doubtful.provider.posts) == 2
