from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack import SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Callable

METADATA = {"event_type": "postonce", "event_payload": {"delivery": "m1"}}


def refusal(call: Callable[[], object]) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as raised:
        call()
    answer: dict[str, Any] = raised.value.response.data
    return answer


def test_a_posted_message_is_stored_under_the_ts_that_was_answered(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # When
    answer = bot.chat_postMessage(channel="C1", text="a < b & c", metadata=METADATA)

    # Then
    (post,) = slack.posts
    assert (post.team, post.channel, post.ts) == ("T1", answer["channel"], answer["ts"])
    assert (post.text, post.marker, post.bot_id) == ("a < b & c", "m1", "B1")


def test_the_bot_learns_who_it_is_and_what_it_may_do(bot: WebClient) -> None:
    # When
    answer = bot.auth_test()

    # Then
    assert (answer["team_id"], answer["bot_id"], answer["user_id"]) == ("T1", "B1", "U1")
    assert "chat:write,channels:history" in answer.headers["x-oauth-scopes"]


def test_a_token_that_names_no_team_speaks_for_the_default_one(slack: SlackSandbox) -> None:
    # Given
    bot = WebClient(token="xoxb-1-2-abc", base_url=slack.url)

    # When
    answer = bot.auth_test()

    # Then
    assert answer["team_id"] == "T0SANDBOX"


@pytest.mark.parametrize(("token", "code"), [(None, "not_authed"), ("xoxp-1", "invalid_auth")])
def test_without_a_bot_token_nothing_is_posted(
    slack: SlackSandbox, token: str | None, code: str
) -> None:
    # Given
    stranger = WebClient(token=token, base_url=slack.url)

    # When
    answer = refusal(lambda: stranger.chat_postMessage(channel="C1", text="hi"))

    # Then
    assert answer["error"] == code
    assert slack.posts == ()
    (attempt,) = slack.attempts
    assert (attempt.stored, attempt.answer) == (False, code)


def test_history_is_newest_first_and_tells_metadata_only_when_asked(bot: WebClient) -> None:
    # Given
    for text in ("one", "two"):
        bot.chat_postMessage(channel="C1", text=text, metadata=METADATA)

    # When
    plain = bot.conversations_history(channel="C1")["messages"]
    full = bot.conversations_history(channel="C1", include_all_metadata=True)["messages"]

    # Then
    assert [message["text"] for message in plain] == ["two", "one"]
    assert plain[0]["metadata"] == {"event_type": "postonce"}
    assert full[0]["metadata"] == METADATA


def test_the_bounds_of_history_are_exclusive_unless_inclusive(bot: WebClient) -> None:
    # Given
    first, second, third = (bot.chat_postMessage(channel="C1", text=t)["ts"] for t in "abc")

    # When
    between = bot.conversations_history(channel="C1", oldest=first, latest=third)
    among = bot.conversations_history(channel="C1", oldest=first, latest=third, inclusive=True)

    # Then
    assert [message["ts"] for message in between["messages"]] == [second]
    assert [message["ts"] for message in among["messages"]] == [third, second, first]


def test_cursors_lead_through_the_whole_channel_and_short_pages_are_not_its_end(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # Given
    slack.change(history_page_max=2)
    for number in range(5):
        bot.chat_postMessage(channel="C1", text=str(number))

    # When
    pages = [
        [message["text"] for message in page["messages"]]
        for page in bot.conversations_history(channel="C1", limit=100)
    ]

    # Then
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


def test_replies_stand_in_their_thread_only(bot: WebClient) -> None:
    # Given
    parent = bot.chat_postMessage(channel="C1", text="parent")["ts"]
    bot.chat_postMessage(channel="C1", text="quiet", thread_ts=parent)
    bot.chat_postMessage(channel="C1", text="loud", thread_ts=parent, reply_broadcast=True)

    # When
    channel = bot.conversations_history(channel="C1")["messages"]
    thread = bot.conversations_replies(channel="C1", ts=parent)["messages"]

    # Then
    assert [message["text"] for message in channel] == ["loud", "parent"]
    assert channel[1]["reply_count"] == 2
    assert [message["text"] for message in thread] == ["parent", "quiet", "loud"]


@pytest.mark.parametrize(
    ("conditions", "in_channel", "in_thread"),
    [
        ({}, ["below", "parent"], ["parent", "reply"]),
        ({"reply_to_reply": "in_channel"}, ["below", "parent"], ["parent", "reply"]),
        ({"reply_to_reply": "in_thread"}, ["parent"], ["parent", "reply", "below"]),
    ],
)
def test_a_reply_to_a_reply_stands_in_the_channel_or_in_the_thread_of_both(
    slack: SlackSandbox,
    bot: WebClient,
    conditions: dict[str, str],
    in_channel: list[str],
    in_thread: list[str],
) -> None:
    # Given
    slack.change(**conditions)
    parent = bot.chat_postMessage(channel="C1", text="parent")["ts"]
    reply = bot.chat_postMessage(channel="C1", text="reply", thread_ts=parent)["ts"]

    # When
    bot.chat_postMessage(channel="C1", text="below", thread_ts=reply)

    # Then
    channel = bot.conversations_history(channel="C1")["messages"]
    thread = bot.conversations_replies(channel="C1", ts=parent)["messages"]
    alone = bot.conversations_replies(channel="C1", ts=reply)["messages"]
    assert [message["text"] for message in channel] == in_channel
    assert [message["text"] for message in thread] == in_thread
    assert [message["text"] for message in alone] == ["reply"]


def test_a_thread_goes_on_after_its_first_page_without_the_parent(bot: WebClient) -> None:
    # Given
    parent = bot.chat_postMessage(channel="C1", text="parent")["ts"]
    for number in range(3):
        bot.chat_postMessage(channel="C1", text=str(number), thread_ts=parent)

    # When
    pages = [
        [message["text"] for message in page["messages"]]
        for page in bot.conversations_replies(channel="C1", ts=parent, limit=2)
    ]

    # Then
    assert pages == [["parent", "0"], ["1", "2"]]


def test_an_edit_keeps_the_metadata_and_drops_blocks_that_are_not_repeated(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # Given
    ts = bot.chat_postMessage(
        channel="C1", text="old", blocks=[{"type": "divider"}], metadata=METADATA
    )["ts"]

    # When
    bot.chat_update(channel="C1", ts=ts, text="new")

    # Then
    (post,) = slack.posts
    assert (post.ts, post.text, post.blocks, post.marker) == (ts, "new", None, "m1")
    assert post.edited_ts is not None


def test_a_deleted_message_is_gone_and_stays_counted(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    ts = bot.chat_postMessage(channel="C1", text="oops", metadata=METADATA)["ts"]

    # When
    bot.chat_delete(channel="C1", ts=ts)
    again = refusal(lambda: bot.chat_delete(channel="C1", ts=ts))

    # Then
    assert again["error"] == "message_not_found"
    assert slack.posts == ()
    assert slack.counters["by_marker"] == {"m1": {"received": 1, "stored": 1}}


def test_what_a_person_deletes_reads_as_absent(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    bot.chat_postMessage(channel="C1", text="hi")

    # When
    removed = slack.remove(slack.posts[0])

    # Then
    assert removed
    assert bot.conversations_history(channel="C1")["messages"] == []


@pytest.mark.parametrize(
    ("archived", "member", "code"),
    [(True, True, "is_archived"), (False, False, "not_in_channel")],
)
def test_a_channel_may_be_closed_to_the_bot(
    slack: SlackSandbox, bot: WebClient, *, archived: bool, member: bool, code: str
) -> None:
    # Given
    slack.declare_channel("T1", "C1", archived=archived, member=member)

    # When
    answer = refusal(lambda: bot.chat_postMessage(channel="C1", text="hi"))

    # Then
    assert answer["error"] == code


def test_with_a_scope_of_its_own_the_bot_posts_where_it_cannot_read(
    slack: SlackSandbox, bot: WebClient
) -> None:
    # Given
    slack.declare_team("T1", scopes=("chat:write", "chat:write.public", "channels:history"))
    slack.declare_channel("T1", "C1", member=False)

    # When
    bot.chat_postMessage(channel="C1", text="hi")
    answer = refusal(lambda: bot.conversations_history(channel="C1"))

    # Then
    assert answer["error"] == "not_in_channel"


def test_history_can_be_withheld(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    slack.change(history_readable=False)

    # When
    answer = refusal(lambda: bot.conversations_history(channel="C1"))

    # Then
    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "channels:history",
        "chat:write",
    )


def test_history_can_lag_behind_what_was_posted(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    slack.change(history_lag_ms=60_000)
    bot.chat_postMessage(channel="C1", text="hi")

    # When
    before = bot.conversations_history(channel="C1")["messages"]
    slack.change(history_lag_ms=0)
    after = bot.conversations_history(channel="C1")["messages"]

    # Then
    assert (len(before), len(after)) == (0, 1)


def test_history_can_say_that_its_window_is_cut(slack: SlackSandbox, bot: WebClient) -> None:
    # When
    slack.change(history_limited=True)

    # Then
    assert bot.conversations_history(channel="C1")["is_limited"] is True


def test_a_thread_that_is_not_there_is_no_empty_thread(bot: WebClient) -> None:
    # When
    answer = refusal(lambda: bot.conversations_replies(channel="C1", ts="1700000000.000100"))

    # Then
    assert answer["error"] == "thread_not_found"


def test_a_strict_slack_knows_only_what_was_declared() -> None:
    # Given
    with SlackSandbox(strict=True) as slack:
        slack.declare_token("xoxb-good", team="T1")
        slack.declare_channel("T1", "C1")
        known = WebClient(token="xoxb-good", base_url=slack.url)
        unknown = WebClient(token="xoxb-other", base_url=slack.url)

        # When
        known.chat_postMessage(channel="C1", text="hi")
        nowhere = refusal(lambda: known.chat_postMessage(channel="C2", text="hi"))
        nobody = refusal(unknown.auth_test)

    # Then
    assert (nowhere["error"], nobody["error"]) == ("channel_not_found", "invalid_auth")
    assert [post.channel for post in slack.posts] == ["C1"]


def test_two_bots_of_a_team_are_told_apart(slack: SlackSandbox, bot: WebClient) -> None:
    # Given
    slack.declare_token("xoxb-stranger", team="T1", bot_id="B999")
    stranger = WebClient(token="xoxb-stranger", base_url=slack.url)
    ts = stranger.chat_postMessage(channel="C1", text="mine", metadata=METADATA)["ts"]

    # When
    (message,) = bot.conversations_history(channel="C1")["messages"]
    answer = refusal(lambda: bot.chat_update(channel="C1", ts=ts, text="yours"))

    # Then
    assert message["bot_id"] == "B999"
    assert answer["error"] == "cant_update_message"


def test_a_message_to_a_person_is_answered_with_the_conversation_it_went_to(
    bot: WebClient,
) -> None:
    # When
    answer = bot.chat_postMessage(channel="U0123", text="hi")

    # Then
    assert answer["channel"] == "D0123"


def test_text_beyond_a_message_becomes_several(slack: SlackSandbox, bot: WebClient) -> None:
    # When
    answer = bot.chat_postMessage(channel="C1", text="x" * 4_041, metadata=METADATA)

    # Then
    assert [len(post.text) for post in slack.posts] == [4_000, 41]
    assert slack.posts[0].ts == answer["ts"]
    assert slack.counters["duplicates"] == 1


def test_text_beyond_every_limit_is_cut_with_a_warning(slack: SlackSandbox, bot: WebClient) -> None:
    # When
    answer = bot.chat_postMessage(channel="C1", text="x" * 40_001)

    # Then
    assert answer["warning"] == "message_truncated"
    assert sum(len(post.text) for post in slack.posts) == 40_000


def test_bad_blocks_are_refused_with_a_pointer_to_them(bot: WebClient) -> None:
    # Given
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}

    # When
    answer = refusal(lambda: bot.chat_postMessage(channel="C1", text="t", blocks=[section]))

    # Then
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_a_clock_of_its_own_dates_the_messages() -> None:
    # Given
    with SlackSandbox(clock=lambda: 1_700_000_000.0) as slack:
        bot = WebClient(token="xoxb-T1", base_url=slack.url)

        # When
        answers = [bot.chat_postMessage(channel="C1", text="hi")["ts"] for _ in range(2)]

    # Then
    assert answers == ["1700000000.000000", "1700000000.000001"]


def test_answers_are_dated_by_slacks_own_clock() -> None:
    # Given
    with SlackSandbox(clock=lambda: 1_700_000_000.9) as slack:
        bot = WebClient(token="xoxb-T1", base_url=slack.url)

        # When
        dates = {
            bot.auth_test().headers["Date"],
            bot.conversations_history(channel="C1").headers["Date"],
        }

    # Then
    assert dates == {"Tue, 14 Nov 2023 22:13:20 GMT"}


def test_a_conversation_with_a_person_is_read_by_its_own_id_only(bot: WebClient) -> None:
    # Given
    conversation = bot.chat_postMessage(channel="U0123", text="hi")["channel"]

    # When
    answer = refusal(lambda: bot.conversations_history(channel="U0123"))
    read = bot.conversations_history(channel=conversation)

    # Then
    assert answer["error"] == "channel_not_found"
    assert len(read["messages"]) == 1


def test_history_is_read_so_often_in_a_minute_by_each_team_and_method() -> None:
    # Given
    now = [1_700_000_000.0]
    with SlackSandbox(clock=lambda: now[0], history_per_minute=2) as slack:
        bot, other = (
            WebClient(token=f"xoxb-{team}", base_url=slack.url, retry_handlers=[])
            for team in ("T1", "T2")
        )
        ts = bot.chat_postMessage(channel="C1", text="hi")["ts"]
        bot.conversations_history(channel="C1")
        now[0] += 20.5
        bot.conversations_history(channel="C1")

        # When
        with pytest.raises(SlackApiError) as limited:
            bot.conversations_history(channel="C2")
        others = [
            other.conversations_history(channel="C1"),
            bot.conversations_replies(channel="C1", ts=ts),
            bot.auth_test(),
        ]
        now[0] += 40
        later = bot.conversations_history(channel="C2")

    # Then
    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "40"
    assert all(answer["ok"] for answer in (*others, later))


def test_calls_are_counted_by_their_method(slack: SlackSandbox, bot: WebClient) -> None:
    # When
    bot.auth_test()
    for _ in range(2):
        bot.conversations_history(channel="C1")

    # Then
    assert slack.counters["by_method"] == {"auth.test": 1, "conversations.history": 2}
