from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.codes import CODE_MAX_CHARS, code_flaw, tenant_flaw

FIRST = string.ascii_letters + string.digits
REST = FIRST + "._@/+=~:-"


@given(st.sampled_from(FIRST), st.text(REST, max_size=CODE_MAX_CHARS - 1))
def test_what_the_interface_allows_passes(first: str, rest: str) -> None:
    # Given
    code = first + rest

    # When
    flaw = code_flaw(code)

    # Then
    assert flaw is None
    assert (tenant_flaw(code) is None) == (":" not in code)


@given(st.text(FIRST, min_size=1, max_size=20), st.characters(), st.text(REST, max_size=20))
def test_any_other_character_is_refused_with_its_position(
    before: str, character: str, after: str
) -> None:
    # When
    flaw = code_flaw(before + character + after)

    # Then
    if character in REST:
        assert flaw is None
    else:
        assert flaw is not None
        assert f"at position {len(before) + 1};" in flaw


@given(st.text(max_size=300))
def test_a_flaw_can_be_printed_whatever_the_text(text: str) -> None:
    # When
    flaw = code_flaw(text)

    # Then
    assert flaw is None or flaw.isprintable()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("x" * 300, "is 300 characters long, 200 at most are allowed"),
        ("a b", "has a space at position 2"),
        ("ab\n", "has a control character (U+000A) at position 3"),
        ("a\x00", "has a control character (U+0000) at position 2"),
        ("{p00}", 'has "{" at position 1'),
        ("a}", 'has "}" at position 2'),
        ("é", 'has "é" (U+00E9) at position 1'),
        ("a\u202eb", "has an invisible character (U+202E) at position 2"),
        ("\ud800", "has an invisible character (U+D800) at position 1"),
        (".a", 'begins with "."; a letter or a digit must come first'),
    ],
)
def test_a_flaw_says_which_character_at_which_position(text: str, said: str) -> None:
    # When
    flaw = code_flaw(text)

    # Then
    assert flaw is not None
    assert flaw.startswith(said)
