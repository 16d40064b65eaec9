from __future__ import annotations

import pytest

from tests.explorer.campaigns import (
    CAMPAIGNS,
    SETTLE_DELAY_MS,
    Campaign,
    lateness_of,
    search_late_post,
)
from tests.explorer.keyspace import CommandUnknownError, Keyspace
from tests.explorer.likeness import Likeness
from tests.explorer.reading import lines_of
from tests.explorer.rules import RULES
from tests.explorer.search import Model, WayLostError, search
from tests.explorer.state import Left, State
from tests.explorer.walks import walk
from tests.explorer.without import Rule, edit_of, search_without
from tests.mutants.errors import GuardHasMoved

# Found within seconds; each of the others takes up to half a minute on a busy machine.
_QUICK_RULES = {"1a", "1b", "2", "3a", "4a", "6b", "6d", "7a", "7b", "9a", "9b", "9c", "9e"}


def test_no_way_of_few_moves_breaks_a_promise() -> None:
    # Given
    model = Model()

    # When
    result = search(model, Left(), most_states=2_000)

    # Then
    assert result.breach is None, "\n".join(lines_of(result.trace, result.breach))
    assert result.states >= 2_000


@pytest.mark.exhaustive
@pytest.mark.parametrize("campaign", [pytest.param(each, id=each.name) for each in CAMPAIGNS])
@pytest.mark.timeout(600)
def test_no_campaign_breaks_a_promise(campaign: Campaign) -> None:
    # Given, When
    result = campaign.run(campaign.tested_states)

    # Then
    assert result.breach is None, "\n".join(lines_of(result.trace, result.breach))
    assert result.is_complete == (campaign.within is not None)


def test_no_random_way_breaks_a_promise() -> None:
    # Given
    model = Model()

    # When
    walked = walk(model, seed=0)

    # Then
    assert walked.breach is None, "\n".join(lines_of(walked.moves, walked.breach))


def test_a_seed_gives_the_same_way_again() -> None:
    # Given, When
    one, other = (walk(Model(), 5, length=40) for _ in range(2))

    # Then
    assert list(lines_of(one.moves, None)) == list(lines_of(other.moves, None))


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(
            rule,
            id=f"rule-{rule.name}",
            marks=() if rule.name in _QUICK_RULES else pytest.mark.exhaustive,
        )
        for rule in RULES
    ],
)
@pytest.mark.timeout(600)
def test_without_a_rule_a_promise_is_broken(rule: Rule) -> None:
    # Given, When
    result = search_without(rule)

    # Then
    assert result.breach == rule.breach, "\n".join(lines_of(result.trace, result.breach))
    assert result.breach is not None or result.is_complete


def test_a_rule_that_is_no_longer_where_it_was_is_noticed() -> None:
    # Given
    edit = edit_of("claim", "is held by a line that was moved elsewhere")

    # When, Then
    with pytest.raises(GuardHasMoved):
        edit.applied_to("another script")


def test_a_way_that_cannot_be_gone_again_tells_what_was_broken() -> None:
    # Given
    model = Model()
    model.likeness = _WithoutPosts(model.ledger, excused_from_ms=SETTLE_DELAY_MS)

    # When, Then
    with pytest.raises(WayLostError, match="sent, but never posted"):
        search(model, Left(), most_states=2_000)


class _WithoutPosts(Likeness):
    """As if it made no difference what was posted."""

    def __call__(self, state: State) -> State:
        return super().__call__(state._replace(posts=()))


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_it_takes_a_pause_as_long_as_the_settle_delay_to_post_twice() -> None:
    # Given, When
    excused = search_late_post(most_late_ms=SETTLE_DELAY_MS)

    # Then
    assert excused.breach is not None
    assert lateness_of(excused) == SETTLE_DELAY_MS


@pytest.mark.parametrize(
    "command", [("GETEX", "key"), ("ZRANGE", "key", 0, -1, "REV"), ("XADD", "key", "1-1", "a", "b")]
)
def test_a_command_that_is_not_imitated_is_an_error(command: tuple[str, ...]) -> None:
    # Given
    keyspace = Keyspace({}, frozenset())

    # When, Then
    with pytest.raises(CommandUnknownError):
        keyspace.call(*command)
