from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.keys import Delivery
from projector.errors import RequestRefused
from projector.json_text import DEPTH_MAX
from projector.message_request import (
    EXPIRES_AT_MAX_DAYS,
    SEND_AT_MAX_DAYS,
    VARIABLES_MAX_BYTES,
    parse_request,
    parse_stored,
)
from projector.utc import utc_text

NOW_MS = 1_795_464_000_000
R1 = Delivery("acme", "r1")
DAY_MS = 24 * 3600 * 1000
EXAMPLES = Path(__file__).parents[2] / "examples" / "requests.jsonl"
CANARY = "canary-4711"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def asked(**changed: object) -> dict[str, Any]:
    return {
        "tenant": "acme",
        "message_request_id": "r1",
        "channel_code": "ops",
        "template_code": "hi",
        "variables": {},
    } | changed


def problems_of(line: str | bytes | dict[str, Any]) -> dict[str | None, str]:
    with pytest.raises(RequestRefused) as refused:
        parse_request(line, now_ms=NOW_MS)
    return {problem.field: problem.sentence for problem in refused.value.problems}


def test_every_example_is_a_request() -> None:
    # Given
    lines = EXAMPLES.read_text(encoding="utf-8").splitlines()

    # When
    requests = [parse_request(line, now_ms=NOW_MS) for line in lines]

    # Then
    assert len(requests) == 183
    assert len({request.fingerprint() for request in requests}) == 183


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=5))
def test_what_is_stored_reads_back_as_the_same_request(variables: dict[str, Any]) -> None:
    # Given
    request = parse_request(
        asked(variables=variables, send_at="2026-12-01T00:00:00+02:00", priority="low"),
        now_ms=NOW_MS,
    )

    # When
    stored = parse_stored(request.canonical_json(), R1)

    # Then
    assert stored == request
    assert stored.fingerprint() == request.fingerprint()


def test_the_form_of_a_request_makes_no_difference_to_its_fingerprint() -> None:
    # Given
    plain = parse_request(asked(variables={"a": 1, "b": 2}), now_ms=NOW_MS)
    spelled_out = (
        '{"variables": {"b": 2,   "a": 1}, "thread_ts": null, "priority": "normal",'
        '"template_code": "hi", "channel_code": "op\\u0073", "send_at": null,'
        '"message_request_id": "r1", "max_attempts": null, "tenant": "acme"}'
    )

    # When
    other = parse_request(spelled_out, now_ms=NOW_MS)

    # Then
    assert other.fingerprint() == plain.fingerprint()
    assert other.canonical_json() == (
        '{"channel_code":"ops","template_code":"hi","variables":{"a":1,"b":2}}'
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"channel_code": "dev"},
        {"template_code": "ho"},
        {"variables": {"a": None}},
        {"workspace_code": "main"},
        {"thread_ts": "1700000000.000100"},
        {"send_at": "2026-11-24T20:00:00Z"},
        {"expires_at": "2026-11-24T20:00:00Z"},
        {"priority": "high"},
        {"max_attempts": 3},
    ],
)
def test_all_that_is_asked_for_makes_a_difference_to_the_fingerprint(
    changed: dict[str, Any],
) -> None:
    # Given
    plain = parse_request(asked(), now_ms=NOW_MS)

    # When
    other = parse_request(asked(**changed), now_ms=NOW_MS)

    # Then
    assert other.fingerprint() != plain.fingerprint()


def test_a_fingerprint_is_a_sha_256_in_url_safe_characters() -> None:
    # When
    fingerprint = parse_request(asked(), now_ms=NOW_MS).fingerprint()

    # Then
    assert fingerprint == "zBFY7xYoeJ8Q3LDGVsZZ92SRSRhXNIzNoAjEpwTuHqE"


def test_the_same_time_in_another_zone_is_the_same_request() -> None:
    # When
    here = parse_request(asked(send_at="2026-11-24T20:00:00Z"), now_ms=NOW_MS)
    there = parse_request(asked(send_at="2026-11-24T21:00:00.000+01:00"), now_ms=NOW_MS)

    # Then
    assert here.fingerprint() == there.fingerprint()
    assert here.send_at_ms == there.send_at_ms == NOW_MS + DAY_MS


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"tenant": None}, "tenant", "is missing"),
        ({"tenant": 7}, "tenant", "must be text, not a number; write it in quotes"),
        ({"tenant": "a:b"}, "tenant", 'has ":" at position 2'),
        ({"message_request_id": 7}, "message_request_id", "must be text, not a number"),
        ({"message_request_id": "a\x00b"}, "message_request_id", "has a control character"),
        ({"message_request_id": "x" * 300}, "message_request_id", "is 300 characters long"),
        ({"message_request_id": "\ud800"}, "message_request_id", "has an invisible character"),
        ({"channel_code": ""}, "channel_code", "is empty"),
        ({"channel_code": ["ops"]}, "channel_code", "must be text, not a list"),
        ({"template_code": True}, "template_code", "must be text, not true or false"),
        ({"workspace_code": "{x}"}, "workspace_code", 'has "{" at position 1'),
        ({"variables": None}, "variables", "is missing"),
        ({"variables": "x"}, "variables", "must be an object of names and values, not text"),
        ({"variables": {"a": float("nan")}}, "variables", "hold a number that is not finite"),
        ({"variables": {"a": float("inf")}}, "variables", "hold a number that is not finite"),
        ({"variables": {"a": ["\ud800"]}}, "variables", "hold half of a surrogate pair"),
        ({"variables": {"\ud800": 1}}, "variables", "hold half of a surrogate pair"),
        ({"variables": {"a": 10**5000}}, "variables", "hold a number of too many digits"),
        ({"variables": {1: 2}}, "variables", "have a name that is not text"),
        ({"variables": {"a": {1, 2}}}, "variables", "hold a value that JSON does not have"),
        ({"variables": {"a": "x" * 10**6}}, "variables", "take 1000008 bytes as JSON, 65536"),
        ({"variables": {"a": [0] * 10**6}}, "variables", "hold more than 65536 values"),
        ({"thread_ts": "1700000000.0001"}, "thread_ts", "must be a timestamp of Slack's"),
        ({"thread_ts": "1700000000.000100\n"}, "thread_ts", "must be a timestamp of Slack's"),
        ({"thread_ts": 1700000000.0001}, "thread_ts", "must be text, not a number with a fraction"),
        ({"send_at": 1795464000}, "send_at", "must be a time as text"),
        ({"send_at": "2026-11-24T20:00:00"}, "send_at", "has no time zone"),
        ({"priority": "urgent"}, "priority", "must be 'high', 'normal' or 'low'"),
        ({"max_attempts": 0}, "max_attempts", "must be at least 1"),
        ({"max_attempts": 51}, "max_attempts", "must be at most 50"),
        ({"max_attempts": True}, "max_attempts", "must be a whole number, not true or false"),
        ({"max_attempts": 3.0}, "max_attempts", "must be a whole number, not a number with a"),
        ({"reply_to": "r0"}, "reply_to", "is not supported yet"),
        ({"update_of": "r0"}, "update_of", "is not supported yet"),
        ({"delete_of": "r0"}, "delete_of", "is not supported yet"),
        ({"chanel_code": "ops"}, "chanel_code", "is not a known name here"),
        ({"send_at_ms": 1}, "send_at_ms", "is not a known name here"),
    ],
)
def test_a_refusal_names_the_field_and_says_what_is_wrong(
    changed: dict[str, Any], field: str, said: str
) -> None:
    # When
    problems = problems_of(asked(**changed))

    # Then
    assert list(problems) == [field]
    assert problems[field].startswith(said)


def test_variables_may_take_all_of_their_size_and_not_a_byte_more() -> None:
    # Given
    overhead = len('{"a":""}')
    most = {"a": "é" * ((VARIABLES_MAX_BYTES - overhead) // 2)}

    # When
    accepted = parse_request(asked(variables=most), now_ms=NOW_MS)

    # Then
    assert accepted.variables == most
    assert "variables" in problems_of(asked(variables={"a": most["a"] + "x"}))


def test_variables_may_nest_so_deep_and_no_deeper() -> None:
    # Given
    deepest: dict[str, Any] = {"a": 1}
    for _ in range(DEPTH_MAX - 2):
        deepest = {"a": deepest}

    # When
    accepted = parse_request(asked(variables=deepest), now_ms=NOW_MS)

    # Then
    assert accepted.variables == deepest
    assert "variables" in problems_of(asked(variables={"a": deepest}))


def test_variables_that_hold_themselves_are_refused() -> None:
    # Given
    endless: list[Any] = []
    endless.append(endless)

    # When
    problems = problems_of(asked(variables={"a": endless}))

    # Then
    assert problems == {"variables": "are nested more than 16 deep"}


def test_all_problems_are_told_at_once() -> None:
    # When
    problems = problems_of(asked(tenant="", channel_code=5, priority="urgent", reply_to="x", foo=1))

    # Then
    assert set(problems) == {"tenant", "channel_code", "priority", "reply_to", "foo"}


@pytest.mark.parametrize("field", ["reply_to", "update_of", "delete_of"])
def test_an_explicit_null_asks_for_nothing_even_where_nothing_is_built_yet(field: str) -> None:
    # When
    request = parse_request(asked(**{field: None}), now_ms=NOW_MS)

    # Then
    assert request == parse_request(asked(), now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        ("", None, "not JSON: expecting value at character 1"),
        ("{", None, "not JSON:"),
        ("[]", None, "not a JSON object"),
        ("null", None, "not a JSON object"),
        ("[" * 100_000, None, "not JSON: nested too deeply"),
        ('{"tenant": NaN}', None, "not JSON: it holds a number that JSON does not have"),
        ('{"tenant": ' + "1" * 5000 + "}", None, "not JSON: it holds a number"),
        (b'{"tenant": "\xff"}', None, "not UTF-8 at byte 13"),
        ('{"tenant": "a", "tenant": "b"}', "tenant", "is given twice"),
        ('{"x\\u001b[31m": 1, "x\\u001b[31m": 2}', '"x\\u001b[31m"', "is given twice"),
        (" " * (8 * 1024 * 1024 + 1), None, "the line is longer than"),
    ],
)
def test_a_line_that_is_no_json_object_is_refused(
    line: str | bytes, field: str | None, said: str
) -> None:
    # When
    problems = problems_of(line)

    # Then
    assert list(problems) == [field]
    assert problems[field].startswith(said)


def test_a_name_given_twice_inside_the_variables_is_refused() -> None:
    # Given
    line = json.dumps(asked(variables={"user": {"a": 1, "b": 2}})).replace('"b"', '"a"')

    # When
    problems = problems_of(line)

    # Then
    assert problems == {"variables": "give the name a twice in one object"}


def test_infinity_written_as_a_large_exponent_is_refused() -> None:
    # Given
    line = json.dumps(asked(variables={"a": 7})).replace("7", "1e999")

    # When
    problems = problems_of(line)

    # Then
    assert problems == {"variables": "hold a number that is not finite"}


@pytest.mark.parametrize(
    ("field", "days"), [("send_at", SEND_AT_MAX_DAYS), ("expires_at", EXPIRES_AT_MAX_DAYS)]
)
def test_a_time_may_be_so_far_ahead_and_no_further(field: str, days: int) -> None:
    # Given
    last_ms = NOW_MS + days * DAY_MS

    # When
    accepted = parse_request(asked(**{field: utc_text(last_ms)}), now_ms=NOW_MS)

    # Then
    assert last_ms in {accepted.send_at_ms, accepted.expires_at_ms}
    assert problems_of(asked(**{field: utc_text(last_ms + 1)})) == {
        field: f"is more than {days} days ahead"
    }


def test_a_stored_request_is_read_long_after_its_times_have_passed() -> None:
    # Given
    far = utc_text(NOW_MS + 300 * DAY_MS)
    request = parse_request(asked(send_at=far), now_ms=NOW_MS)

    # When
    stored = parse_stored(request.canonical_json(), R1)

    # Then
    assert stored.send_at_ms == NOW_MS + 300 * DAY_MS


def test_a_request_expires_after_it_is_due_to_be_sent() -> None:
    # Given
    at = "2026-11-24T20:00:00Z"

    # When
    problems = problems_of(asked(send_at=at, expires_at=at))

    # Then
    assert problems == {"expires_at": "must be later than send_at"}


def test_an_expiry_in_the_past_is_accepted_so_that_a_repeated_request_stays_a_duplicate() -> None:
    # When
    request = parse_request(asked(expires_at="2020-01-01T00:00:00Z"), now_ms=NOW_MS)

    # Then
    assert request.expires_at_ms == 1_577_836_800_000


@pytest.mark.parametrize(
    "changed",
    [
        {"variables": {"secret": [CANARY, float("nan")]}},
        {"variables": {"secret": CANARY * 10_000}},
        {"variables": [CANARY]},
        {"tenant": {"a": CANARY}},
        {"priority": CANARY},
        {"send_at": CANARY},
        {"thread_ts": CANARY},
        {"reply_to": CANARY},
        {"unknown": CANARY},
    ],
)
def test_no_refusal_repeats_a_value(changed: dict[str, Any]) -> None:
    # When
    problems = problems_of(asked(**changed))

    # Then
    assert CANARY not in str(problems)
