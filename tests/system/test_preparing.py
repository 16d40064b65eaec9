"""What the actor cannot post yet waits: before its intent, and without using up an attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations
from actors.slack_connection import SlackConnection
from projector.explanation import read_explanation

if TYPE_CHECKING:
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
