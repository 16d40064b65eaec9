"""A token is nowhere at all, and a message's text only in the private log, the body and Slack.

Requests end in every way there is, at the highest verbosity; then all that is left is searched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from dramatiq import Message

from actors.cli import run
from actors.queue import make_broker
from middleware.keys import Delivery
from projector.actor_message import ACTOR_NAME, QUEUE_NAME
from projector.stats import stats
from sandbox.slack.faults import ErrorCode, Html, RateLimited, Silence
from sandbox.slack.workspaces import DEFAULT_SCOPES
from tests.system.deliveries import TENANT
from tests.system.keyspace_text import text_of_each_key
from tests.system.processes import Installation
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.slack import Attempt

TOKEN = "xoxb-canary-5f1c2a"
TEXT = "canary-7e04-text"
LIMITED, REFUSING, GARBLING, SILENT = "C0LIMITED", "C0REFUSED", "C0HTML", "C0OFF"
TENANTS = f"""
tenants:
  {TENANT}:
    workspaces: {{main: {{team_id: T1}}}}
    channels:
      ops: {{workspace: main, id: C0OPS}}
      limited: {{workspace: main, id: {LIMITED}}}
      refusing: {{workspace: main, id: {REFUSING}}}
      garbling: {{workspace: main, id: {GARBLING}}}
      silent: {{workspace: main, id: {SILENT}}}
    templates:
      hi: {{text: "Hello {{{{ name }}}}"}}
      missing: {{text: "Hello {{{{ name }}}} {{{{ absent }}}}"}}
      computed: {{text: "Hello {{{{ people[name] }}}}"}}
      mistyped: {{text: "Hello {{{{ name + 1 }}}}"}}
"""
# How each request is asked for, and how it ends.
ENDS: dict[str, tuple[dict[str, Any], str]] = {
    "posted": ({}, "sent"),
    "limited": ({"channel_code": "limited"}, "sent"),
    "no-channel": ({"channel_code": "unheard-of"}, "rejected"),
    "no-variable": ({"template_code": "missing"}, "rejected"),
    "no-key": ({"template_code": "computed"}, "rejected"),
    "no-number": ({"template_code": "mistyped"}, "rejected"),
    "too-long": ({"variables": {"name": TEXT * 300}}, "rejected"),
    "refused": ({"channel_code": "refusing"}, "rejected"),
    "garbled": ({"channel_code": "garbling"}, "unproven"),
    "killed": ({"channel_code": "silent"}, "sent"),
    "late": ({"expires_at": "2020-01-01T00:00:00Z"}, "expired"),
}
# Bodies that no worker can read; what is asked for by them waits.
TAMPERED = {"no-json": f'{{"variables": "{TEXT}', "no-request": f'{{"{TEXT}": "{TEXT}"}}'}
COMMANDS = (
    *(("explain", TENANT, each) for each in (*ENDS, *TAMPERED)),
    ("status", TENANT, "no-key"),
    ("list",),
    ("list", "--json"),
    ("stats",),
    ("doctor",),
)


@dataclass(frozen=True)
class Left:
    """All that there is to read, by name, and how it came to be."""

    sinks: Mapping[str, str]
    ends: Mapping[str, str]
    attempts: tuple[Attempt, ...]

    def holding(self, canary: str) -> set[str]:
        return {name for name, text in self.sinks.items() if canary in name or canary in text}

    def named(self, pattern: str) -> list[str]:
        """The texts of the sinks of this kind."""
        return [text for name, text in self.sinks.items() if re.search(pattern, name)]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("logs"), token=TOKEN) as made:
        made.slack.declare_token(TOKEN, team="T1")
        made.slack.declare_team("T1", scopes=(*DEFAULT_SCOPES, "chat:write.public"))
        # There it may post and not read.
        made.slack.declare_channel("T1", GARBLING, member=False)
        made.slack.fault(
            RateLimited(channel=LIMITED),
            ErrorCode(channel=REFUSING, code="invalid_blocks"),
            Html(channel=GARBLING),
            Silence(channel=SILENT, stored=True),
        )
        yield made.start_store(tenants=TENANTS)


@pytest.fixture(scope="module")
def left(installation: Installation) -> Left:
    installation.projector("--verbose")
    for name in ENDS.keys() - {"killed"}:
        ask(installation, name)
    installation.ask("posted", variables={"name": f"{TEXT} again"})
    for name, body in TAMPERED.items():
        installation.ask(name)
        key = installation.ledger.keys.request(Delivery(TENANT, name))
        installation.ledger.store.client.set(key, body)
    put_what_raises(installation)
    wait_until_folded(installation)
    before = text_of_each_key(installation.ledger.store.client)
    first = installation.worker("-vv")
    # Nothing else may be in flight when it is killed.
    installation.wait_until_settled(*ENDS.keys() - {"killed", "garbled"})
    ask(installation, "killed")
    installation.wait_for_attempts(1, channel=SILENT)
    first.kill()
    installation.worker("-vv")
    statuses = installation.wait_until_settled(*ENDS)
    wait_until_folded(installation)
    after = text_of_each_key(installation.ledger.store.client)
    logs = (*installation.log_files, installation.store.data_dir / "server.log")
    return Left(
        sinks={
            **{f"before: {name}": text for name, text in before.items()},
            **{f"after: {name}": text for name, text in after.items()},
            **{f"log: {each.name}": each.read_text() for each in logs},
        },
        ends={name: status.status for name, status in statuses.items()},
        attempts=installation.slack.attempts,
    )


def ask(installation: Installation, name: str) -> None:
    others, _ = ENDS[name]
    installation.ask(name, **{"variables": {"name": TEXT, "people": {}}, **others})


def put_what_raises(installation: Installation) -> None:
    """As a foreign program could, past the guard: no reference, and one to nothing."""
    broker = make_broker(installation.store.url, prefix=installation.ledger.keys.prefix)
    for name in ("no reference", "never-asked-for"):
        kwargs = {"tenant": TENANT, "message_request_id": name}
        broker.enqueue(
            Message[None](
                queue_name=QUEUE_NAME, actor_name=ACTOR_NAME, args=(), kwargs=kwargs, options={}
            )
        )
    broker.close()


def wait_until_folded(installation: Installation) -> None:
    wait_until(
        lambda: stats(installation.ledger).projector_lag == 0,
        description="the projector has folded all events",
        timeout_s=30,
    )


def test_requests_have_ended_in_every_way(left: Left) -> None:
    assert left.ends == {name: end for name, (_, end) in ENDS.items()}


def test_the_token_was_used_and_is_nowhere(left: Left) -> None:
    assert {each.headers["authorization"] for each in left.attempts} == {f"Bearer {TOKEN}"}
    assert left.holding(TOKEN) == set()


def test_the_text_is_only_in_the_private_log_and_in_the_bodies(left: Left) -> None:
    # Given
    private = re.compile(r"(before|after): postonce:\{p\d\d\}:(requests|request:acme:.+)")

    # When
    holding = left.holding(TEXT)

    # Then
    assert {name for name in holding if not private.fullmatch(name)} == set()


def test_the_search_would_find_what_is_there(left: Left) -> None:
    # The text where it must be: else it was searched for in vain.
    assert any(TEXT in text for text in left.named(r"^before: .*:requests$"))
    assert any(TEXT in text for text in left.named(r"^after: .*:requests$"))
    assert any(TEXT in text for text in left.named(r"^before: .*:request:acme:posted$"))
    assert any(TEXT in text for text in left.named(r"^after: .*:request:acme:garbled$"))
    assert left.named(r"^after: .*:request:acme:posted$") == []
    assert any(TEXT in str(each.arguments) for each in left.attempts)


@pytest.mark.parametrize(
    ("sink", "holding"),
    [
        (r"^before: .*queue\}:slack.msgs$", "message_request_id"),
        (r"^after: .*queue\}:slack.XQ.msgs$", "no reference"),
        (r"^after: .*:outcomes$", "unproven"),
        (r"^after: .*:delivery:acme:garbled$", "unproven"),
        (r"^after: .*:history:acme:no-key$", "missing_variable"),
        (r"^after: .*:history:acme:posted$", "conflict"),
        (r"^after: .*:timeline:acme:posted$", "requested"),
        (r"^after: .*:listed:acme:sent$", "posted"),
        (r"^before: .*:due:acme$", "garbled"),
        (r"^before: .*:counts$", "waiting"),
        (r"^log: projector-0", "DEBUG"),
        (r"^log: worker-0", "[DEBUG]"),
        (r"^log: worker-1", "[DEBUG]"),
        (r"^log: worker", "request_unreadable"),
        (r"^log: worker", "middleware.errors.PayloadRefused: "),
        (r"^log: worker", "claim.unknown"),
    ],
)
def test_every_sink_was_searched_with_something_in_it(left: Left, sink: str, holding: str) -> None:
    assert any(holding in text for text in left.named(sink))


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_shows_either(
    installation: Installation,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Given
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)

    # When
    exit_code = run(command)
    said = "".join(capsys.readouterr())

    # Then
    assert exit_code == 0
    assert said
    assert TOKEN not in said
    assert TEXT not in said
