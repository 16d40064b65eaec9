"""Since when a target is what it is, and what that tells of an earlier one."""

from __future__ import annotations

import pytest

from actors.addressing import Addressed
from actors.slack.message import SlackMessage


@pytest.mark.parametrize(("since_ms", "could_differ"), [(99, False), (100, False), (101, True)])
def test_a_target_may_have_been_another_one_before_its_code_named_it(
    since_ms: int, *, could_differ: bool
) -> None:
    # Given
    addressed = Addressed({}, SlackMessage(text="hi", blocks=None, marker="m"), since_ms)

    # Then
    assert addressed.could_differ(from_ms=100) is could_differ


def test_where_it_is_not_known_since_when_it_may_have_been_another_one_at_any_time() -> None:
    # Given
    addressed = Addressed({}, SlackMessage(text="hi", blocks=None, marker="m"), None)

    # Then
    assert addressed.could_differ(from_ms=100)
