from __future__ import annotations

import pytest

from actors.commands.slack_checks import judge
from actors.slack.gateway import AuthRefused, AuthTested

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
