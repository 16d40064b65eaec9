"""Row 10, hook by hook: what Dramatiq would swallow lets nothing through, and ends the process.

The hook before an enqueue is tested beside the other rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dramatiq
import pytest

from actors.send_message import DELIVERY_KEY
from middleware.delivery_key import DeliveryKey
from middleware.errors import GuardFailed
from projector.actor_message import ACTOR_NAME, QUEUE_NAME
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.system.guarantees.small_system import SmallSystem
    from tests.system.processes import Installation


def declare(system: SmallSystem, **options: Any) -> None:  # noqa: ANN401 - actor options are anything
    def another(tenant: str, message_request_id: str, thread_ts: str | None = None) -> None:
        raise AssertionError(tenant, message_request_id, thread_ts)

    decorate: Callable[..., Any] = dramatiq.actor(
        broker=system.broker, queue_name=QUEUE_NAME, **options
    )
    decorate(another)


def test_row_10_an_actor_whose_dispatch_cannot_be_guarded_is_not_declared(
    system: SmallSystem,
) -> None:
    # Given: no name of an argument, so that looking for it fails as nobody foresaw.
    names: dict[str, Any] = {"tenant": ["tenant"], "id": "message_request_id"}

    # When
    with pytest.raises(GuardFailed):
        declare(system, dispatch_once=DeliveryKey(**names))

    # Then
    assert system.broker.get_declared_actors() == {ACTOR_NAME}


def test_row_10_an_actor_whose_sending_cannot_be_guarded_is_not_declared(
    system: SmallSystem,
) -> None:
    # When: a time limit that can be compared with no lease.
    with pytest.raises(GuardFailed):
        declare(system, dispatch_once=DELIVERY_KEY, send_lock=DELIVERY_KEY, time_limit="60s")

    # Then
    assert system.broker.get_declared_actors() == {ACTOR_NAME}


def test_row_10_a_worker_that_cannot_even_ask_for_its_ledger_does_not_start(
    make_system: Callable[..., SmallSystem],
) -> None:
    # Given
    system = make_system(ledger_way="http://127.0.0.1")

    # When / Then
    with pytest.raises(GuardFailed):
        system.start_worker()


def test_row_10_a_worker_with_an_actor_that_nothing_would_settle_ends(
    installation: Installation,
) -> None:
    # When
    worker = installation.worker(app="tests.system.guarantees.unsettled_app")
    worker.wait_for("never_settled has dispatch_once, so it needs send_lock too")

    # Then: or whoever supervises it would wait for ever.
    wait_until(lambda: not worker.is_running, description="its process ends", timeout_s=10.0)
