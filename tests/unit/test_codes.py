from __future__ import annotations

import logging
from collections import Counter

import pytest

from actors.slack.codes import (
    CODES,
    READING_CODES,
    UNREADABLE_CODE,
    Scope,
    classify,
    classify_reading,
)


def test_the_table_has_every_documented_code_of_chat_post_message() -> None:
    # When
    scopes = Counter(meaning.scope for meaning in CODES.values())

    # Then
    assert scopes == {
        Scope.MESSAGE: 32,
        Scope.CHANNEL: 11,
        Scope.WORKSPACE: 20,
        Scope.NOT_NOW: 2,
        Scope.UNKNOWN: 6,
    }
    assert len(CODES) == 71


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        ("msg_too_long", Scope.MESSAGE),
        ("invalid_blocks", Scope.MESSAGE),
        ("invalid_arguments", Scope.MESSAGE),
        ("channel_not_found", Scope.CHANNEL),
        ("is_archived", Scope.CHANNEL),
        ("not_in_channel", Scope.CHANNEL),
        ("invalid_auth", Scope.WORKSPACE),
        ("token_revoked", Scope.WORKSPACE),
        ("missing_scope", Scope.WORKSPACE),
        ("ratelimited", Scope.NOT_NOW),
        ("internal_error", Scope.UNKNOWN),
        ("service_unavailable", Scope.UNKNOWN),
        ("duplicate_message_not_found", Scope.UNKNOWN),
    ],
)
def test_a_code_reaches_as_far_as_it_says(code: str, scope: Scope) -> None:
    assert classify(code).scope is scope


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_code_has_a_sentence_for_a_person(code: str) -> None:
    # When
    sentence = classify(code).sentence

    # Then it is one, and more than the code in other letters
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert len(sentence.split()) >= 6


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_listed_code_needs_no_warning(code: str, caplog: pytest.LogCaptureFixture) -> None:
    # When
    classify(code)

    # Then
    assert caplog.records == []


@pytest.mark.parametrize(
    ("code", "named"),
    [
        pytest.param("invalid_attachments", "invalid_attachments", id="seen_in_issues"),
        pytest.param("no such code: text", UNREADABLE_CODE, id="words"),
        pytest.param("x" * 65, UNREADABLE_CODE, id="long"),
        pytest.param("", UNREADABLE_CODE, id="empty"),
    ],
)
def test_an_unlisted_code_is_unknown_and_warned_of_once(
    code: str, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    # When
    meaning = classify(code)

    # Then
    assert (meaning.code, meaning.scope) == (named, Scope.UNKNOWN)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"code={named}:" in caplog.text


def test_what_only_reading_documents_proves_nothing_of_a_post() -> None:
    # Given
    only_reading = READING_CODES.keys() - CODES.keys()

    # When
    of_a_post = {classify(code).scope for code in only_reading}

    # Then
    assert "thread_not_found" in only_reading
    assert of_a_post == {Scope.UNKNOWN}


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        ("not_in_channel", Scope.CHANNEL),
        ("thread_not_found", Scope.CHANNEL),
        ("missing_scope", Scope.WORKSPACE),
        ("invalid_cursor", Scope.MESSAGE),
        ("internal_error", Scope.UNKNOWN),
    ],
)
def test_a_code_of_reading_reaches_as_far_as_it_says(code: str, scope: Scope) -> None:
    assert classify_reading(code).scope is scope


@pytest.mark.parametrize("code", sorted(READING_CODES))
def test_a_listed_code_of_reading_needs_no_warning(
    code: str, caplog: pytest.LogCaptureFixture
) -> None:
    # When
    sentence = classify_reading(code).sentence

    # Then
    assert len(sentence.split()) >= 6
    assert caplog.records == []
