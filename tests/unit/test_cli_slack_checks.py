from __future__ import annotations

import pytest

from actors.commands.history_checks import Asked, judge_history
from actors.commands.slack_checks import judge
from actors.slack.auth import AuthRefused, AuthTested
from middleware.fates import CannotTell
from projector.channels import ConfiguredChannel

READING = ("channels:history", "groups:history", "im:history", "mpim:history")


def signed_in(*scopes: str, team_id: str = "T1") -> AuthTested:
    return AuthTested(team_id=team_id, team="Acme Inc", bot_id="B1", scopes=scopes)


def test_a_token_that_may_post_and_read_is_good() -> None:
    # When
    finding = judge("T1", "acme", signed_in("chat:write", *READING))

    # Then
    assert (finding.severity, finding.remedy) == ("good", "")
    assert "Acme Inc" in finding.found


@pytest.mark.parametrize("missing", READING)
def test_without_a_history_scope_it_says_what_follows(missing: str) -> None:
    # Given
    scopes = [scope for scope in READING if scope != missing]

    # When
    finding = judge("T1", "acme", signed_in("chat:write", *scopes))

    # Then
    assert finding.severity == "risky"
    assert missing in finding.remedy
    assert "unproven" in finding.remedy
    assert not any(scope in finding.remedy for scope in scopes if scope not in missing)


def test_without_the_scope_to_post_it_fails() -> None:
    # When
    finding = judge("T1", "acme", signed_in(*READING))

    # Then
    assert finding.severity == "refused"
    assert "chat:write" in finding.found


def test_the_token_of_another_team_fails() -> None:
    # When
    finding = judge("T1", "acme", signed_in("chat:write", *READING, team_id="T2"))

    # Then
    assert finding.severity == "refused"
    assert "T2" in finding.found
    assert "acme" in finding.found


def test_a_refused_token_fails_with_what_to_do() -> None:
    # When
    finding = judge("T1", "acme", AuthRefused("token_revoked", "Reinstall the app."))

    # Then
    assert (finding.severity, finding.remedy) == ("refused", "Reinstall the app.")
    assert "token_revoked" in finding.found


def channel(code: str, channel_id: str = "C1") -> ConfiguredChannel:
    return ConfiguredChannel(code, channel_id, "T1")


def test_what_several_channels_lack_is_said_once_each() -> None:
    # Given
    asked = [
        Asked(channel("a"), CannotTell("not_in_channel", final=True)),
        Asked(channel("b"), None),
        Asked(channel("c"), CannotTell("not_in_channel", final=True)),
        Asked(channel("d"), CannotTell("is_archived", final=True)),
    ]

    # When
    finding = judge_history("T1", asked, configured=4, stopped=None)

    # Then
    assert finding.severity == "risky"
    assert finding.found == (
        "1 of 4 channels can be read, not a: not_in_channel, c: not_in_channel, d: is_archived"
    )
    assert finding.remedy.count("invite the bot") == 1
    assert "unarchive it" in finding.remedy


@pytest.mark.parametrize("asked", [[], [Asked(channel("a"), None)]], ids=["none", "one"])
def test_of_channels_that_could_not_be_asked_nothing_good_is_said(asked: list[Asked]) -> None:
    # When
    finding = judge_history("T1", asked, configured=3, stopped="status_503")

    # Then
    assert finding.severity == "risky"
    assert finding.found.endswith(f"{3 - len(asked)} were not asked, status_503")
    assert "again" in finding.remedy


def test_what_is_not_asked_because_enough_was_is_no_warning() -> None:
    # When
    finding = judge_history("T1", [Asked(channel("a"), None)], configured=3, stopped=None)

    # Then
    assert (finding.severity, finding.remedy) == ("good", "")


def test_a_persons_id_is_told_from_a_channel_that_is_not_there() -> None:
    # Given
    asked = [Asked(channel("ada", "U0123"), CannotTell("channel_not_found", final=True))]

    # When
    finding = judge_history("T1", asked, configured=1, stopped=None)

    # Then
    assert "the id of the conversation" in finding.remedy
