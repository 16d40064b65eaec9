"""What a service or an operator gets wrong is said by line and field, and stops nothing else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.system.deliveries import TENANT
from tests.system.processes import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("logs")) as made:
        made.start_store()
        made.projector()
        made.worker()
        yield made


def line(message_request_id: object, **others: object) -> bytes:
    fields = {
        "tenant": TENANT,
        "message_request_id": message_request_id,
        "channel_code": "ops",
        "template_code": "hi",
        "variables": {"name": str(message_request_id)},
        **others,
    }
    return json.dumps({name: value for name, value in fields.items() if value != "absent"}).encode()


# What is wrong, and how the complaint about it begins, after the number of its line.
BAD_LINES = {
    b"not json": "not JSON: ",
    b'{"tenant": "acme", "message_request_id": "r1"': "not JSON: ",
    b'["acme", "r1"]': "not a JSON object",
    b"null": "not a JSON object",
    b'{"tenant": "\xff"}': "not UTF-8 at byte 13",
    line("r1", variables={"x": float("nan")}): "not JSON: ",
    line("r1")[:-1] + b', "tenant": "other"}': "tenant: is given twice",
    line("r1", variables="Ada"): "variables: must be an object",
    line("r1", variables={"x": "y" * 1_000_000}): "variables: take 1000008 bytes",
    line("r1", variables={"x": "\ud800"}): "variables: hold half of a surrogate pair",
    line(7): "message_request_id: must be text, not a number",
    line(None): "message_request_id: is missing",
    line("absent"): "message_request_id: is missing",
    line(""): "message_request_id: is empty",
    line("r" * 300): "message_request_id: is 300 characters long, 200 at most",
    line("r\0"): "message_request_id: has a control character (U+0000) at position 2",
    line("r\n1"): "message_request_id: has a control character (U+000A) at position 2",
    line("\u202er1"): "message_request_id: has an invisible character (U+202E) at position 1",
    line("{p00}"): 'message_request_id: has "{" at position 1',
    line("r}1"): 'message_request_id: has "}" at position 2',
    line("r 1"): "message_request_id: has a space at position 2",
    line("r1", tenant="acme:x"): 'tenant: has ":" at position 5',
    line("r1", colour="red"): "colour: is not a known name here",
    line("r1", reply_to="r0"): "reply_to: is not supported yet",
    line("r1", channel_code="absent"): "channel_code: is missing",
    line("r1", template_code=["hi"]): "template_code: must be text, not a list",
    line("r1", thread_ts="yesterday"): "thread_ts: must be a timestamp of Slack's",
    line("r1", send_at="2026-01-01T00:00:00"): "send_at: ",
    line("r1", send_at="2100-01-01T00:00:00Z"): "send_at: is more than 366 days ahead",
    line("r1", priority="urgent"): "priority: must be 'high', 'normal' or 'low'",
    line("r1", max_attempts=0): "max_attempts: must be at least 1",
    line("r1", max_attempts="3"): "max_attempts: must be a whole number, not text",
}
BAD_TENANTS = """\
tenants:
  acme:
    workspaces: {main: {team_id: T1}}
    channels:
      ops: {workspace: main, id: C0OPS}
      ops: {workspace: main, id: C0OTHER}
      lost: {workspace: elsewhere, id: C1}
      named: {workspace: main, id: "#general"}
    templates:
      hi: {text: "Hello {{ name"}
      shouting: {text: "Hello {{ name | shout }}"}
      calling: {text: "{{ name.upper() }}"}
      typed: {text: 7}
      framed: {text: ok, colour: red}
  "a b": {enabled: true}
"""
BAD_PLACES = [
    "6: tenants.acme.channels.ops: is given twice",
    '7: tenants.acme.channels.lost.workspace: channel "lost" names the workspace "elsewhere"',
    "8: tenants.acme.channels.named.id: must be an id of Slack's",
    "10: tenants.acme.templates.hi.text: is no valid template: ",
    '11: tenants.acme.templates.shouting.text: the filter "shout" is not available',
    "12: tenants.acme.templates.calling.text: calls are not available",
    "13: tenants.acme.templates.typed.text: must be text, not a number",
    "14: tenants.acme.templates.framed.colour: is not a known name here",
    "15: tenants.a b: has a space at position 2",
]


def test_each_bad_line_is_named_and_every_good_one_is_sent(installation: Installation) -> None:
    # Given
    good = [line(f"good-{number}") for number in range(len(BAD_LINES))]
    given = b"\n".join(each for pair in zip(good, BAD_LINES, strict=True) for each in pair)

    # When
    ended = installation.command("request", "-", stdin=given)
    statuses = installation.wait_until_settled(*(f"good-{n}" for n in range(len(good))))

    # Then
    complaints = [re.fullmatch(r"line (\d+): (.*)", each) for each in ended.stderr.splitlines()]
    said = {int(each[1]): each[2] for each in complaints if each}
    expected = {2 * place + 2: begins for place, begins in enumerate(BAD_LINES.values())}
    assert None not in complaints
    assert len(complaints) == len(good)
    assert {n: said[n] for n in expected if not said[n].startswith(expected[n])} == {}
    assert ended.stdout.startswith(f"{len(good)} accepted, ")
    assert ended.stdout.endswith(f"{len(good)} refused\n")
    assert ended.returncode == 1
    assert {each.status for each in statuses.values()} == {"sent"}
    assert [len(installation.posts_of(each)) for each in statuses] == [1] * len(good)


def test_an_id_given_again_is_a_duplicate_or_a_conflict_and_is_sent_once(
    installation: Installation,
) -> None:
    # Given
    changed = line("again", variables={"name": "changed"})
    given = b"\n".join([line("again"), line("again"), changed, line("after")])

    # When
    first = installation.command("request", "-", stdin=given)
    statuses = installation.wait_until_settled("again", "after")
    second = installation.command("request", "-", stdin=given)

    # Then
    assert (first.returncode, second.returncode) == (1, 1)
    assert first.stdout == "2 accepted, 1 duplicate, 1 conflict, 0 refused\n"
    assert second.stdout == "0 accepted, 3 duplicates, 1 conflict, 0 refused\n"
    for ended in (first, second):
        (complaint,) = ended.stderr.splitlines()
        assert complaint.startswith("line 3: message_request_id: another request has this id")
    assert {each.status for each in statuses.values()} == {"sent"}
    (post,) = installation.posts_of("again")
    assert post.text == "Hello again"


def test_what_only_the_delivery_can_find_wrong_is_rejected_with_its_reason(
    installation: Installation,
) -> None:
    # Given
    given = [line("long", variables={"name": "x" * 4_000}), line("unknown", tenant="nobody")]

    # When
    ended = installation.command("request", "-", stdin=b"\n".join(given))
    status = installation.wait_until_settled("long")["long"]
    of_nobody = installation.wait_until_settled("unknown", tenant="nobody")["unknown"]

    # Then
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (status.status, status.error) == ("rejected", "msg_too_long")
    assert installation.attempts_of("long") == []
    assert (of_nobody.status, of_nobody.error) == ("rejected", "tenant_unknown")


def test_a_bad_tenants_file_is_named_by_line_and_nothing_of_it_is_applied(
    installation: Installation, tmp_path: Path
) -> None:
    # Given
    file = tmp_path / "tenants.yaml"
    file.write_text(BAD_TENANTS)
    configured = installation.ledger.keys.config(TENANT)
    before = installation.ledger.store.client.hgetall(configured)

    # When
    ended = installation.command("configure", str(file))
    installation.ask("as-before")
    status = installation.wait_until_settled("as-before")["as-before"]

    # Then
    *problems, total = ended.stderr.splitlines()
    assert len(problems) == len(BAD_PLACES)
    for problem, begins in zip(problems, BAD_PLACES, strict=True):
        assert problem.startswith(f"{file}:{begins}")
    assert total == f"{len(BAD_PLACES)} problems; nothing was applied"
    assert (ended.returncode, ended.stdout) == (1, "")
    assert installation.ledger.store.client.hgetall(configured) == before
    assert status.status == "sent"
