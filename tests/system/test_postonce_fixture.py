"""What the fixture `postonce` promises beyond what production code promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from actors.errors import TenantsFileRefused
from projector.errors import RequestRefused
from sandbox.codes_as_asked import slack_id
from sandbox.errors import NeverSettles
from sandbox.slack.faults import ErrorCode, RateLimited, Silence

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.postonce import Postonce

TENANTS = """
tenants:
  acme:
    workspaces: {main: {team_id: T1}}
    channels: {ops: {workspace: main, id: C1}}
    templates: {hi: {text: "Hello {{ name }}"}}
"""


def ask(postonce: Postonce, message_request_id: str = "r1", **others: object) -> None:
    fields: dict[str, object] = {
        "tenant": "acme",
        "channel_code": "ops",
        "template_code": "hi",
        "variables": {},
        **others,
    }
    postonce.request(message_request_id=message_request_id, **fields)


def test_a_delivery_that_can_never_settle_is_named_with_the_reason(postonce: Postonce) -> None:
    # Given
    postonce.slack.fault(ErrorCode(code="token_revoked", times=None))
    ask(postonce, "after")

    # When
    with pytest.raises(NeverSettles) as refusal:
        postonce.drain()

    # Then
    (line,) = refusal.value.open_ones
    assert line.startswith("acme/after is waiting, due at ")
    assert line.endswith(": postponed (token_revoked)")


def test_a_rate_limit_without_end_is_named_too(postonce: Postonce) -> None:
    # Given
    postonce.slack.fault(RateLimited(times=None))
    ask(postonce)

    # When / Then
    with pytest.raises(NeverSettles, match="rate_limited"):
        postonce.drain()


def test_after_a_drain_that_failed_another_one_works(postonce: Postonce) -> None:
    # Given
    postonce.slack.fault(ErrorCode(code="invalid_auth", times=None))
    ask(postonce)
    with pytest.raises(NeverSettles, match="invalid_auth"):
        postonce.drain()

    # When
    postonce.slack.clear_faults()
    postonce.drain()

    # Then
    assert postonce.status("acme", "r1").status == "sent"


def test_an_answer_that_never_comes_ends(postonce: Postonce) -> None:
    # Given
    postonce.slack.fault(Silence())
    ask(postonce)

    # When
    postonce.drain()

    # Then
    assert postonce.status("acme", "r1").status == "sent"
    assert len(postonce.slack.posts) == 1


def test_what_is_not_due_waits_without_the_clock(postonce: Postonce) -> None:
    # Given
    postonce.slack.fault(RateLimited(retry_after=30))
    ask(postonce)
    begun_ms = postonce.clock.now_ms

    # When
    postonce.work()

    # Then
    assert postonce.status("acme", "r1").status == "waiting"
    assert postonce.clock.now_ms == begun_ms


def test_many_are_posted_by_one_drain(postonce: Postonce) -> None:
    # Given
    for number in range(50):
        ask(postonce, f"r{number}", variables={"number": number})

    # When
    postonce.drain()

    # Then
    texts = {post.text for post in postonce.slack.posts}
    assert texts == {f"hi number={number}" for number in range(50)}
    assert len(postonce.slack.posts) == 50


def test_a_template_as_asked_shows_every_variable_that_it_can(postonce: Postonce) -> None:
    # Given
    ask(postonce, "r1", variables={"a": 1, "not a name": 2, "self": 3})
    ask(postonce, "r2", variables={"b": 4})

    # When
    postonce.drain()

    # Then
    assert {post.text for post in postonce.slack.posts} == {"hi a=1 b=", "hi a= b=4"}


def test_what_a_test_configured_stays(postonce: Postonce) -> None:
    # Given
    postonce.configure(
        "acme",
        channels={"ops": {"workspace": "main", "id": "C0OPS"}},
        templates={"hi": {"text": "Hello {{ name }}"}},
    )

    # When
    ask(postonce, variables={"name": "you", "more": "not shown"})
    postonce.drain()

    # Then
    (post,) = postonce.slack.posts
    assert (post.channel, post.text) == ("C0OPS", "Hello you")


def test_a_tenants_file_is_taken_as_it_is(postonce: Postonce, tmp_path: Path) -> None:
    # Given
    file = tmp_path / "tenants.yaml"
    file.write_text(TENANTS)
    postonce.configure_from(file)

    # When
    ask(postonce, variables={"name": "you"})
    postonce.drain()

    # Then
    (post,) = postonce.slack.posts
    assert (post.team, post.channel, post.text) == ("T1", "C1", "Hello you")


def test_tenants_have_workspaces_of_their_own(postonce: Postonce) -> None:
    # Given
    ask(postonce, "r1")
    ask(postonce, "r1", tenant="Acme")
    ask(postonce, "r2", workspace_code="second", channel_code="elsewhere")

    # When
    postonce.drain()

    # Then
    assert len({post.team for post in postonce.slack.posts}) == 3


@pytest.mark.parametrize("code", ["ops", "Ops", "o.ps", "o" * 200, "o" * 199])
def test_codes_become_ids_that_slack_could_have_given(code: str) -> None:
    # Given
    others = {"ops", "Ops", "o.ps", "o" * 200, "o" * 199} - {code}

    # When
    made = slack_id("C", code)

    # Then
    assert made.isalnum()
    assert made.upper() == made
    assert len(made) <= 64
    assert made not in {slack_id("C", other) for other in others}


def test_what_cannot_be_asked_for_configures_nothing(postonce: Postonce) -> None:
    # When
    with pytest.raises(RequestRefused, match="channel_code"):
        ask(postonce, channel_code="no such code, ever")

    # Then
    with pytest.raises(LookupError, match="acme/r1"):
        postonce.status("acme", "r1")


def test_a_template_that_cannot_be_rendered_is_refused_at_once(postonce: Postonce) -> None:
    # When / Then
    with pytest.raises(TenantsFileRefused, match="no valid template"):
        postonce.configure("acme", templates={"hi": {"text": "{{ name"}})
    with pytest.raises(ValidationError):
        postonce.configure("acme", channels={"ops": {"id": "C1"}})
