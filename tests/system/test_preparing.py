"""What the actor cannot post yet waits: before its intent, and without using up an attempt."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations
from actors.slack_connection import SlackConnection
from middleware.keys import Delivery
from projector.explanation import read_explanation

if TYPE_CHECKING:
    import pytest

    from sandbox.postonce import Postonce

ASKED = {
    "tenant": "acme",
    "message_request_id": "r1",
    "channel_code": "ops",
    "template_code": "hi",
    "variables": {},
}


def happened(postonce: Postonce) -> list[str]:
    explained = read_explanation(postonce.ledger, "acme", "r1")
    assert explained is not None
    return [each.what for each in explained.evidence if each.source == "ledger"]


def test_without_an_installation_no_post_is_intended(postonce: Postonce) -> None:
    # Given
    (connection,) = [
        each for each in postonce.broker.middleware if isinstance(each, SlackConnection)
    ]
    connection.gateway = SlackGateway(
        base_url=postonce.slack.url,
        installations=Installations("env:", environ={}),
        post_deadline_ms=1_000,
    )
    postonce.request(**ASKED)

    # When
    postonce.work()

    # Then
    status = postonce.status("acme", "r1")
    assert (status.status, status.attempts) == ("waiting", 0)
    assert "postponed" in happened(postonce)
    assert "sending" not in happened(postonce)


def test_a_request_of_a_newer_version_waits_for_a_worker_that_can_read_it(
    postonce: Postonce, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    postonce.request(**ASKED)
    store = postonce.ledger.store.client
    key = postonce.ledger.keys.request(Delivery("acme", "r1"))
    body = str(store.get(key))
    store.set(key, json.dumps({**json.loads(body), "newer": "secret text"}))

    # When
    postonce.work()
    before = postonce.status("acme", "r1")
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    store.set(key, body)
    postonce.drain()

    # Then
    assert (before.status, before.attempts) == ("waiting", 0)
    (line,) = said
    assert "acme/r1" in line
    assert "extra_forbidden" in line
    assert "secret text" not in caplog.text
    assert postonce.status("acme", "r1").status == "sent"
