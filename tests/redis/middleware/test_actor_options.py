"""What an actor may not ask for beside its guard is refused when it is declared, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, Callbacks, MiddlewareError, Retries, TimeLimit

from middleware.delivery_key import DeliveryKey
from middleware.dispatch_once import DispatchOnce
from middleware.errors import GuardFailed, GuardMisdeclared, TimingRefused
from middleware.send_lock import SendLock
from tests.redis.middleware.application import QUEUE, Application
from tests.redis.middleware.provider import Provider

if TYPE_CHECKING:
    from middleware.ledger import Ledger
    from tests.redis.middleware.application import Kind

OTHER_KEY = DeliveryKey(tenant="tenant", id="thread_ts")


def _others() -> tuple[dramatiq.Middleware, ...]:
    # Those of Dramatiq's middleware whose options could contradict the guard.
    return AgeLimit(), TimeLimit(), Callbacks(), Retries()


def _named(value: object) -> str:
    """The same in every process: a function's own repr holds its address."""
    if isinstance(value, dict):
        return ",".join(f"{name}={getattr(each, '__name__', each)}" for name, each in value.items())
    return getattr(value, "__name__", str(value))


def _always(_retries: int, _error: BaseException) -> bool:
    return True


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"max_retries": 3}, GuardMisdeclared),
        ({"max_retries": None}, GuardMisdeclared),
        ({"retry_when": _always}, GuardMisdeclared),
        ({"throws": ValueError}, GuardMisdeclared),
        ({"on_retry_exhausted": "send"}, GuardMisdeclared),
        ({"on_success": "send"}, GuardMisdeclared),
        ({"on_failure": "send"}, GuardMisdeclared),
        ({"max_age": 60_000}, GuardMisdeclared),
        ({"send_lock": "request_id"}, GuardMisdeclared),
        ({"dispatch_once": "request_id"}, GuardMisdeclared),
        ({"dispatch_once": None}, GuardMisdeclared),
        ({"send_lock": OTHER_KEY}, GuardMisdeclared),
        ({"dispatch_once": OTHER_KEY}, GuardMisdeclared),
        ({"lease_ms": 14_999}, TimingRefused),
        ({"lease_ms": 600_001}, TimingRefused),
        ({"lease_ms": 0}, TimingRefused),
        ({"lease_ms": "30s"}, GuardMisdeclared),
        ({"lease_ms": None}, GuardMisdeclared),
        ({"time_limit": "60s"}, GuardFailed),
        ({"time_limit": 30_000}, TimingRefused),
        ({"lease_ms": 60_000, "time_limit": 60_000}, TimingRefused),
    ],
    ids=_named,
)
def test_an_option_that_contradicts_the_guard_is_refused(
    ledger: Ledger, options: dict[str, Any], refusal: type[MiddlewareError]
) -> None:
    # Given
    broker = StubBroker(middleware=[])

    # When
    with pytest.raises(refusal):
        Application(ledger, broker=broker, others=_others(), **options)

    # Then
    assert broker.get_declared_actors() == set()


@pytest.mark.parametrize("name", ["tenant", "id", "thread"])
def test_a_key_that_names_no_argument_is_refused(ledger: Ledger, name: str) -> None:
    # Given
    names: dict[str, Any] = {"tenant": "tenant", "id": "request_id", name: "nothing"}

    # When
    with pytest.raises(GuardMisdeclared) as refusal:
        Application(ledger, key=DeliveryKey(**names))

    # Then
    assert "'nothing'" in str(refusal.value)


def test_what_the_sweeper_could_not_make_a_message_for_is_refused(ledger: Ledger) -> None:
    # Given
    broker = StubBroker(middleware=[DispatchOnce(ledger), SendLock(ledger)])
    key = DeliveryKey(tenant="tenant", id="request_id", needs_acceptance=True)

    # When
    with pytest.raises(GuardMisdeclared) as refusal:

        @dramatiq.actor(broker=broker, dispatch_once=key, send_lock=key)
        def send(tenant: str, request_id: str, amount: int) -> None:
            raise NotImplementedError((tenant, request_id, amount))

    # Then
    assert "'amount'" in str(refusal.value)


@pytest.mark.parametrize("time_limit", [float("inf"), 30_001])
def test_a_time_limit_above_the_lease_is_fine(
    ledger: Ledger, kind: Kind, time_limit: float
) -> None:
    # Given
    app = Application(ledger, kind, others=(TimeLimit(time_limit=time_limit),))

    # When
    app.send_and_work()

    # Then
    assert app.state() == "sent"


def test_the_default_time_limit_is_held_against_the_lease_too(ledger: Ledger) -> None:
    # Given
    others = (TimeLimit(time_limit=30_000),)

    # When
    with pytest.raises(TimingRefused) as refusal:
        Application(ledger, others=others)

    # Then
    assert "time limit" in str(refusal.value)


def test_an_actor_without_the_options_is_left_alone(ledger: Ledger) -> None:
    # Given
    app = Application(ledger)
    called: list[int] = []

    @dramatiq.actor(broker=app.broker, queue_name=QUEUE, max_retries=3)
    def unguarded(number: int) -> None:
        called.append(number)

    # When
    with app.working():
        unguarded.send_with_options(args=(7,), delay=1)
        app.join()

    # Then
    assert called == [7]
    assert Provider().posts == app.provider.posts == []
