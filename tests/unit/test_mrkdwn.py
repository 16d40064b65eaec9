from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.mrkdwn import Syntax, assemble, escape


def unescape(text: str) -> str:
    """As Slack decodes it, `&amp;` last."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@given(st.text())
def test_slack_shows_an_escaped_value_as_it_was(value: str) -> None:
    # When
    escaped = escape(value)

    # Then
    assert unescape(escaped) == value
    assert not set("<>") & set(escaped)


@given(st.text(), st.text())
def test_values_beside_each_other_make_no_control_sequence(first: str, second: str) -> None:
    # When
    assembled = assemble(["", first, "", second, ""], Syntax.MRKDWN)

    # Then
    assert unescape(assembled) == first + second
    assert not set("<>") & set(assembled)


@given(url=st.text(), label=st.text())
def test_a_value_cannot_leave_its_link(url: str, label: str) -> None:
    # When
    assembled = assemble(["<", url, "|", label, ">"], Syntax.MRKDWN)

    # Then
    assert re.fullmatch(r"<[^<>|\s!@#][^<>|\s]*\|[^<>\n\r]*>|<\|[^<>\n\r]*>", assembled)


@given(st.text(alphabet="!@#^|<> \nC1channelhere", max_size=12), st.text(max_size=3))
def test_a_value_names_nobody_to_notify(value: str, more: str) -> None:
    # When
    alone = assemble(["<", value, "", more, ">"], Syntax.MRKDWN)
    after_sign = assemble(["<!", value, "", more, ">"], Syntax.MRKDWN)

    # Then
    assert not re.match(r"<[!@#]", alone)
    assert not re.match(r"<![a-z]", after_sign)


@pytest.mark.parametrize(
    ("pieces", "assembled"),
    [
        (["hi ", "<!channel>", ""], "hi &lt;!channel&gt;"),
        (["", "a & b", ""], "a &amp; b"),
        (["", "&lt;", ""], "&amp;lt;"),
        (["*", "*_~`", "*"], "**_~`*"),
        (["", "@here \"'", ""], "@here \"'"),
        (["<", "https://x/?a=1&b=2", "|", "a|b", ">"], "<https://x/?a=1&amp;b=2|a|b>"),
        (["<", "https://x/a|b>\nc", "|x>"], "<https://x/a%7Cb%3E%0Ac|x>"),
        (["<", "!channel", ">"], "<%21channel>"),
        (["<", "", "", "@U1", "|x>"], "<%40U1|x>"),
        (["<", "https://x/", "", "@a", ">"], "<https://x/@a>"),
        (["<!", "here", ">"], "<!%68ere>"),
        (["<@", "U1", "> ", "a b", ""], "<@U1> a b"),
        (["<https://x/", "a b", "|", "one\ntwo", "> ", "one\ntwo", ""],
         "<https://x/a%20b|one two> one\ntwo"),
        (["if 1 < ", "a b", " > 2"], "if 1 < a b > 2"),
        (["<https://x|y> ", "a|b c", ""], "<https://x|y> a|b c"),
    ],
)  # fmt: skip
def test_a_value_is_encoded_for_its_place(pieces: list[str], assembled: str) -> None:
    # When / Then
    assert assemble(pieces, Syntax.MRKDWN) == assembled


def test_plain_text_has_no_links_so_that_a_value_is_only_escaped() -> None:
    # When
    assembled = assemble(["<", "a b & <c>", "|"], Syntax.PLAIN)

    # Then
    assert assembled == "<a b &amp; &lt;c&gt;|"


@given(st.text())
def test_an_address_keeps_its_ampersands_and_loses_what_ends_it(value: str) -> None:
    # When
    assembled = assemble(["https://x/", value, ""], Syntax.ADDRESS)

    # Then
    assert not re.search(r'[\s<>|"\x00-\x1f]', assembled)
    assert assembled.count("&") == value.count("&")
