from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.system.sandbox.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk import WebClient

    from sandbox.slack import SlackSandbox


async def request(
    method: str,
    url: str,
    *,
    body: object = None,
    data: object = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Mapping[str, str], bytes]:
    """`body` is sent as JSON, `data` as it is."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        session.request(method, url, json=body, data=data, headers=headers) as response,
    ):
        return response.status, dict(response.headers), await response.read()


def ask(
    method: str,
    url: str,
    *,
    body: object = None,
    data: object = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """The status, and the answer: JSON if it is that, else text."""
    status, _, answer = asyncio.run(request(method, url, body=body, data=data, headers=headers))
    return status, json.loads(answer) if answer[:1] in {b"{", b"["} else answer.decode()


def test_the_posts_are_listed_with_their_counts(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    metadata = {"event_type": "postonce", "event_payload": {"delivery": "m1"}}
    for _ in range(2):
        bot.chat_postMessage(channel="C1", text="hi", metadata=metadata)

    # When
    status, listed = ask("GET", f"{slack.page_url}sandbox/posts")

    # Then
    assert status == 200
    assert [post["marker"] for post in listed["posts"]] == ["m1", "m1"]
    assert listed["counters"] == {
        "received": 2,
        "stored": 2,
        "duplicates": 1,
        "by_marker": {"m1": {"received": 2, "stored": 2}},
        "by_channel": {"T1/C1": 2},
        "by_method": {"chat.postMessage": 2},
        "faults": {},
    }


def test_no_token_is_told(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    bot.chat_postMessage(channel="C1", text="hi")

    # When
    told = [ask("GET", f"{slack.page_url}sandbox/{name}")[1] for name in ("posts", "attempts")]

    # Then
    assert TOKEN not in json.dumps(told)
    assert slack.attempts[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_fault_is_ordered_listed_and_cleared(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    faults = f"{slack.page_url}sandbox/faults"

    # When
    ordered, _ = ask("POST", faults, body={"name": "error_code", "stored": True, "times": 3})
    with pytest.raises(SlackApiError):
        bot.chat_postMessage(channel="C1", text="hi")
    _, listed = ask("GET", faults)
    cleared, _ = ask("DELETE", faults)
    _, left = ask("GET", faults)

    # Then
    assert (ordered, cleared, left["active"]) == (201, 204, [])
    (fault,) = listed["active"]
    assert (fault["name"], fault["stored"]) == ("error_code", True)
    assert (fault["times"], fault["struck"]) == (2, 1)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"name": "refuse"}, "refuse"),
        ({"name": "slow"}, "slow.delay_ms"),
        ({"name": "rate_limited", "stored": True}, "rate_limited.stored"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_the_place(
    slack: SlackSandbox, fault: dict[str, Any], said: str
) -> None:
    # When
    status, text = ask("POST", f"{slack.page_url}sandbox/faults", body=fault)

    # Then
    assert status == 400
    assert said in text


def test_a_body_that_does_not_say_it_is_json_orders_nothing(slack: SlackSandbox) -> None:
    # When
    status, _ = ask("POST", f"{slack.page_url}sandbox/faults", data='{"name": "reset"}')

    # Then
    assert status == 415


def test_a_channel_and_the_conditions_are_changed_from_outside(slack: SlackSandbox) -> None:
    # Given
    root = f"{slack.page_url}sandbox"

    # When
    ask("POST", f"{root}/channels", body={"team": "T1", "channel": "C1", "archived": True})
    ask("POST", f"{root}/teams", body={"team": "T1", "name": "Octo"})
    ask("POST", f"{root}/tokens", body={"token": "x", "team": "T1"})
    _, conditions = ask("POST", f"{root}/conditions", body={"history_lag_ms": 20})
    wrong, _ = ask("POST", f"{root}/conditions", body={"history_lag": 20})

    # Then
    _, listed = ask("GET", f"{root}/posts")
    assert listed["channels"][0]["archived"] is True
    assert listed["teams"][0]["name"] == "Octo"
    assert conditions["history_lag_ms"] == 20
    assert wrong == 400


def test_messages_are_cleared_and_removed_from_outside(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    posts = f"{slack.page_url}sandbox/posts"
    ts = bot.chat_postMessage(channel="C1", text="one")["ts"]
    bot.chat_postMessage(channel="C1", text="two")

    # When
    removed, _ = ask("DELETE", f"{posts}/T1/C1/{ts}")
    missing, _ = ask("DELETE", f"{posts}/T1/C1/{ts}")
    left = [post.text for post in slack.posts]
    ask("DELETE", posts)

    # Then
    assert (removed, missing, left) == (204, 404, ["two"])
    assert slack.posts == ()
    assert slack.attempts == ()


@pytest.mark.parametrize("name", ["", "page/page.js", "page/page.css"])
def test_the_page_comes_whole_from_here_and_may_load_nothing_else(
    slack: SlackSandbox, name: str
) -> None:
    # When
    status, headers, body = asyncio.run(request("GET", f"{slack.page_url}{name}"))

    # Then
    assert status == 200
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert b"https://" not in body


@pytest.mark.parametrize(
    "name", ["page/..%2f__init__.py", "page/none.js", "page/..%2f..%2f__main__.py"]
)
def test_nothing_but_the_page_is_given_out(slack: SlackSandbox, name: str) -> None:
    # When
    status, _ = ask("GET", f"{slack.page_url}{name}")

    # Then
    assert status == 404


@pytest.mark.parametrize(
    ("headers", "body", "answer"),
    [
        (
            {"Content-Type": "application/json"},
            '{"channel": "C1", "text": "hi"}',
            {"ok": True, "warning": "missing_charset"},
        ),
        (
            {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            "channel=C1&text=hi",
            {"ok": True, "warning": "superfluous_charset"},
        ),
        (
            {"Content-Type": "application/x-www-form-urlencoded"},
            "channel=C1&text=hi&blocks=%5B%7B%22type%22%3A%22divider%22%7D%5D",
            {"ok": True},
        ),
        (
            {"Content-Type": "application/x-www-form-urlencoded"},
            "channel=C1&text=hi&blocks=%5B",
            {"ok": False, "error": "invalid_blocks_format"},
        ),
        (
            {"Content-Type": "application/json; charset=utf-8"},
            "{",
            {"ok": False, "error": "invalid_json"},
        ),
        (
            {"Content-Type": "application/json; charset=utf-8"},
            "[]",
            {"ok": False, "error": "json_not_object"},
        ),
        ({"Content-Type": "text/plain"}, "hi", {"ok": False, "error": "invalid_post_type"}),
    ],
)
def test_a_body_is_read_by_its_type(
    slack: SlackSandbox, headers: dict[str, str], body: str, answer: dict[str, Any]
) -> None:
    # When
    _, said = ask(
        "POST",
        f"{slack.url}chat.postMessage",
        data=body,
        headers={**headers, "Authorization": f"Bearer {TOKEN}"},
    )

    # Then
    assert {name: said.get(name) for name in answer} == answer
    assert len(slack.posts) == answer["ok"]


def test_a_token_is_taken_from_a_form_and_not_from_json(slack: SlackSandbox) -> None:
    # Given
    call = f"{slack.url}auth.test"

    # When
    _, form = ask("POST", call, data={"token": TOKEN})
    _, body = ask("POST", call, body={"token": TOKEN})

    # Then
    assert (form["ok"], body["error"]) == (True, "not_authed")


def test_a_method_that_slack_has_not_is_unknown(slack: SlackSandbox) -> None:
    # When
    _, said = ask("POST", f"{slack.url}chat.shout", headers={"Authorization": f"Bearer {TOKEN}"})

    # Then
    assert (said["error"], said["req_method"]) == ("unknown_method", "chat.shout")
