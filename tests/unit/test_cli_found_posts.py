from __future__ import annotations

import pytest

from actors.commands.found_posts import FoundPost, found_post

TS = "1796043073.545059"
LINK = "https://acme-ops.slack.com/archives/C0123ABCD/p1796043073545059"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (TS, FoundPost(TS)),
        ("p1796043073545059", FoundPost(TS)),
        (LINK, FoundPost(TS, "C0123ABCD")),
        (f" <{LINK}/> ", FoundPost(TS, "C0123ABCD")),
        (LINK.replace("acme-ops", "Acme-Ops"), FoundPost(TS, "C0123ABCD")),
        (f"{LINK}?thread_ts=1700000000.000100&cid=C0123ABCD", FoundPost(TS, "C0123ABCD")),
        (LINK.replace("acme-ops", "acme.enterprise"), FoundPost(TS, "C0123ABCD")),
        (LINK.replace("slack.com", "slack-gov.com"), FoundPost(TS, "C0123ABCD")),
    ],
)
def test_a_post_is_named_as_slack_names_it(text: str, meant: FoundPost) -> None:
    # Then
    assert found_post(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "1700000000",
        "1700000000.1",
        "C1",
        "p17",
        "1796043073545059",
        LINK.replace("slack.com", "slack.com.example"),
        LINK.replace("/p", "/"),
        f"{LINK}/extra",
        f"{LINK} {LINK}",
    ],
)
def test_what_names_no_post_marks_nothing(text: str) -> None:
    # Then
    with pytest.raises(ValueError, match="neither the link of a message"):
        found_post(text)


def test_a_post_has_its_time_in_its_name() -> None:
    # Then
    assert FoundPost(TS).at_ms == 1_796_043_073_545
