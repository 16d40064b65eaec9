"""A message is a reference and nothing else; what it brings besides is refused before the queue."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from dramatiq.brokers.stub import StubBroker

from middleware.errors import DelayRefused, PayloadRefused
from tests.redis.middleware.application import KEY, QUEUE, R1, Application

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.ledger import Ledger


@pytest.fixture
def app(ledger: Ledger) -> Application:
    # The kind of actor is of no consequence before it runs.
    return Application(ledger)


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": 3},
        {"max_age": 1_000},
        {"time_limit": 3_600_000},
        {"notify_shutdown": True},
        {"on_success": "send"},
        {"on_failure": "send"},
        {"pipe_ignore": True},
        {"store_results": True},
        {"group_completion_uuid": "1"},
        {"text": "hello"},
    ],
    ids=str,
)
def test_a_message_that_brings_options_of_its_own_is_refused(
    app: Application, options: dict[str, Any]
) -> None:
    # Given
    arguments = (R1.tenant, R1.id)

    # When
    with pytest.raises(PayloadRefused) as refusal:
        app.actor.send_with_options(args=arguments, **options)

    # Then
    assert next(iter(options)) in str(refusal.value)
    assert (app.queued(), app.state()) == (0, "none")


def test_a_delay_is_refused_and_send_at_is_named(app: Application) -> None:
    # Given
    arguments = (R1.tenant, R1.id)

    # When
    with pytest.raises(DelayRefused) as refusal:
        app.actor.send_with_options(args=arguments, delay=1_000)

    # Then
    assert "send_at" in str(refusal.value)
    assert (app.queued(), app.state()) == (0, "none")


@pytest.mark.parametrize(
    "arguments",
    [("acme",), ("acme", "r1", None, "hello"), ("acme", 7), ("acme", "r1", 17.1), ("", "r1")],
    ids=str,
)
def test_a_message_that_is_no_reference_is_refused(
    app: Application, arguments: tuple[Any, ...]
) -> None:
    # Given
    message = app.actor.message(*arguments)

    # When
    with pytest.raises(PayloadRefused):
        app.broker.enqueue(message)

    # Then
    assert app.queued() == 0


def test_what_is_refused_is_neither_told_nor_logged(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    def refuse(arguments: Mapping[str, Any]) -> None:
        raise ValueError(arguments["thread_ts"])

    app = Application(ledger, key=replace(KEY, payload=refuse))
    message = app.actor.message(R1.tenant, R1.id, "hello")
    assert isinstance(app.broker, StubBroker)

    # When
    with pytest.raises(PayloadRefused) as refusal:
        app.broker.enqueue(message)
    with app.working():
        # As if another program had put it there.
        app.broker.queues[QUEUE].put(message.encode())
        app.join()

    # Then
    assert "hello" not in str(refusal.value)
    failures = [record for record in caplog.records if record.exc_info]
    assert len(failures) == 1
    assert "hello" not in str(logging.Formatter().format(failures[0])).replace(str(message), "")
    assert app.provider.started == []
