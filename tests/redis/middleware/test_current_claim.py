"""The claim is there for the actor that holds it, and for nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq
import pytest

from middleware.keys import Delivery
from middleware.send_lock import current_async_claim, current_claim
from tests.redis.middleware.application import QUEUE, R1, Application

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.ledger import Ledger
    from tests.redis.middleware.application import Kind


def _current(kind: Kind) -> Callable[[], object]:
    return current_claim if kind == "sync" else current_async_claim


@pytest.mark.parametrize("current", [current_claim, current_async_claim])
def test_outside_an_actor_there_is_no_claim(current: Callable[[], object]) -> None:
    # Given
    outside = current

    # When
    with pytest.raises(LookupError) as missing:
        outside()

    # Then
    assert "current_claim" in str(missing.value)


def test_inside_it_names_the_delivery_its_attempt_and_marker(ledger: Ledger, kind: Kind) -> None:
    # Given
    app = Application(ledger, kind)
    seen: list[tuple[object, ...]] = []

    def look_around() -> bool:
        claim = current_claim() if kind == "sync" else current_async_claim()
        seen.append((claim.delivery, claim.attempt, claim.marker, claim.thread_ts))
        return True

    app.provider.starts.come(look_around)

    # When
    with app.working():
        app.send(thread_ts="17.1")
        app.join()

    # Then
    assert seen == [(R1, 1, app.record()["marker"], "17.1")]


def test_an_actor_of_one_kind_does_not_get_the_other_kinds_claim(
    ledger: Ledger, kind: Kind
) -> None:
    # Given
    app = Application(ledger, kind)
    refusals: list[str] = []

    def takes_the_other() -> bool:
        with pytest.raises(LookupError) as refusal:
            _current("async" if kind == "sync" else "sync")()
        refusals.append(str(refusal.value))
        return True

    app.provider.starts.come(takes_the_other)

    # When
    app.send_and_work()

    # Then
    assert "plain functions" in refusals[0]
    assert app.state() == "sent"


@pytest.mark.parametrize("ending", [True, False, ValueError(), KeyboardInterrupt()], ids=repr)
def test_the_next_message_on_the_thread_has_no_claim_left_over(
    ledger: Ledger, ending: object
) -> None:
    # Given
    app = Application(ledger)
    app.provider.starts.come(ending)
    left_over: list[object] = []

    @dramatiq.actor(broker=app.broker, queue_name=QUEUE, max_retries=0)
    def unguarded() -> None:
        with pytest.raises(LookupError) as missing:
            current_claim()
        left_over.append(missing.value)

    # When
    with app.working():
        app.send()
        app.join()
        unguarded.send()
        app.join()

    # Then
    assert len(left_over) == 1


def test_one_guarded_actor_inside_another_holds_a_claim_of_its_own(ledger: Ledger) -> None:
    # Given
    app = Application(ledger)
    inner = Delivery("acme", "r2")
    held: list[Delivery] = []

    def calls_itself() -> bool:
        app.accept(inner)
        held.append(current_claim().delivery)
        app.actor(inner.tenant, inner.id)
        held.append(current_claim().delivery)
        return True

    app.provider.starts.come(calls_itself)

    # When
    app.send_and_work()

    # Then
    assert held == [R1, R1]
    assert (app.state(R1), app.state(inner)) == ("sent", "sent")
