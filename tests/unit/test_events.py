from __future__ import annotations

import pytest

from projector.errors import EventUnreadable
from projector.events import MessageRequested, Outcome, TenantConfigured, parse_event
from projector.message_request import parse_request

BODY = parse_request(
    {
        "tenant": "acme",
        "message_request_id": "r1",
        "channel_code": "ops",
        "template_code": "alert",
        "variables": {"host": "db-1"},
    },
    now_ms=0,
).canonical_json()

SENT = {
    "event": "sent",
    "tenant": "acme",
    "id": "r1",
    "at": "1700000000000",
    "attempts": "2",
    "error": "",
    "reason": "",
    "receipt": '{"channel":"C1","ts":"1.2"}',
}


def test_a_request_is_read_with_its_body() -> None:
    # Given
    fields = {"event": "requested", "tenant": "acme", "id": "r1", "body": BODY}

    # When
    event = parse_event(fields)

    # Then
    assert isinstance(event, MessageRequested)
    assert event.request.variables == {"host": "db-1"}


def test_an_outcome_is_read_with_numbers_and_without_empty_words() -> None:
    # Given
    fields = SENT

    # When
    event = parse_event(fields)

    # Then
    assert isinstance(event, Outcome)
    assert (event.at_ms, event.attempts, event.error) == (1_700_000_000_000, 2, None)
    assert event.receipt == {"channel": "C1", "ts": "1.2"}


def test_an_end_taken_back_is_read_with_who_and_why() -> None:
    # Given
    fields = SENT | {"event": "redriven", "receipt": "", "by": "ada@ops", "why": "it is back"}

    # When
    event = parse_event(fields)

    # Then
    assert isinstance(event, Outcome)
    assert (event.event, event.by, event.why) == ("redriven", "ada@ops", "it is back")


def test_a_configuration_is_read_as_its_version() -> None:
    # Given
    fields = {"event": "configured", "tenant": "acme", "version": "3"}

    # When
    event = parse_event(fields)

    # Then
    assert event == TenantConfigured(event="configured", tenant="acme", version=3)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"event": "secret text"},
        SENT | {"attempts": "secret text"},
        SENT | {"receipt": "secret text"},
        SENT | {"receipt": '["secret text"]'},
        SENT | {"another": "secret text"},
        SENT | {"secret text": "1"},
        {"event": "requested", "tenant": "acme", "id": "r1", "body": "secret text"},
        {"event": "requested", "tenant": "acme", "id": "r1", "body": '{"tenant": "secret text"}'},
        {"event": "requested", "tenant": "acme", "id": "r1", "body": "[" * 100_000},
        {"event": "requested", "tenant": "secret text", "id": "r1", "body": BODY},
    ],
)
def test_what_is_no_event_is_refused_without_repeating_its_text(fields: dict[str, str]) -> None:
    # Given
    secret = fields != SENT | {"secret text": "1"}

    # When
    with pytest.raises(EventUnreadable) as unreadable:
        parse_event(fields)

    # Then
    assert unreadable.value.flaws
    assert not secret or "secret text" not in str(unreadable.value)
