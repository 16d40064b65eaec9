from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.commands.exit_codes import ExitCode
from actors.commands.history_checks import CHANNELS_AT_MOST
from actors.commands.slack_checks import TEAMS_AT_MOST
from projector.configuration import Channel, TenantConfiguration, Workspace
from projector.configure import configure
from sandbox.servers import free_port
from sandbox.slack import SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from middleware.ledger import Ledger
    from tests.redis.cli.conftest import Ended

TOKEN = "xoxb-T1"


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackSandbox]:
    with SlackSandbox() as sandbox:
        monkeypatch.setenv("POSTONCE_SLACK_URL", sandbox.url)
        monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
        yield sandbox


def give_teams(ledger: Ledger, *team_ids: str, channels: dict[str, str] | None = None) -> None:
    """With these channels, code to id, in the first."""
    workspaces = {team_id: Workspace(team_id=team_id) for team_id in team_ids}
    configured = {
        code: Channel(workspace=team_ids[0], id=channel_id)
        for code, channel_id in (channels or {}).items()
    }
    tenant = TenantConfiguration(workspaces=workspaces, channels=configured)
    configure(ledger, {"acme": tenant})


def by_check(ended: Ended) -> dict[str, dict[str, Any]]:
    return {found["check"]: found for found in ended.objects}


@pytest.mark.usefixtures("slack")
def test_what_is_found_is_told_check_by_check(cli: Callable[..., Ended], ledger: Ledger) -> None:
    # Given
    give_teams(ledger, "T1")

    # When
    ended = cli("doctor", "--json")

    # Then
    found = by_check(ended)
    assert ended.code == ExitCode.DONE
    assert {check: about["severity"] for check, about in found.items()} == {
        "store": "good",
        "partitions": "good",
        "maxmemory-policy": "good",
        "appendfsync": "risky",
        "replication id": "good",
        "timing contract": "good",
        "queue": "good",
        "dead letters": "good",
        "workers": "risky",
        "projector": "risky",
        "due": "good",
        "unproven": "good",
        "slack T1": "good",
    }
    assert all(about["remedy"] for about in found.values() if about["severity"] != "good")


def test_a_missing_history_scope_is_a_warning(
    cli: Callable[..., Ended], ledger: Ledger, slack: SlackSandbox
) -> None:
    # Given
    give_teams(ledger, "T1", channels={"ops": "C0OPS"})
    slack.change(history_readable=False)

    # When
    ended = cli("doctor", "--json")

    # Then
    assert ended.code == ExitCode.DONE
    assert "history T1" not in by_check(ended)
    about = by_check(ended)["slack T1"]
    assert about["severity"] == "risky"
    assert "channels:history" in about["remedy"]


@pytest.mark.usefixtures("slack")
def test_channels_that_can_be_read_are_good(cli: Callable[..., Ended], ledger: Ledger) -> None:
    # Given
    give_teams(ledger, "T1", "T2", channels={"ops": "C0OPS", "sales": "C0SALES"})

    # When
    found = by_check(cli("doctor", "--json"))

    # Then
    assert found["history T1"]["severity"] == "good"
    assert found["history T1"]["found"] == "2 of 2 channels can be read"
    assert "history T2" not in found


def test_a_channel_without_the_bot_is_a_warning_that_says_what_to_do(
    cli: Callable[..., Ended], ledger: Ledger, slack: SlackSandbox
) -> None:
    # Given
    give_teams(ledger, "T1", channels={"ops": "C0OPS", "sales": "C0SALES"})
    slack.declare_channel("T1", "C0SALES", member=False)

    # When
    ended = cli("doctor", "--json")

    # Then
    about = by_check(ended)["history T1"]
    assert ended.code == ExitCode.DONE
    assert about["severity"] == "risky"
    assert about["found"] == "1 of 2 channels can be read, not sales: not_in_channel"
    assert "invite the bot" in about["remedy"]
    assert "unproven" in about["remedy"]


def test_a_plan_that_hides_older_messages_is_a_warning_that_says_so(
    cli: Callable[..., Ended], ledger: Ledger, slack: SlackSandbox
) -> None:
    # Given
    give_teams(ledger, "T1", channels={"ops": "C0OPS"})
    slack.change(history_limited=True)

    # When
    about = by_check(cli("doctor", "--json"))["history T1"]

    # Then
    assert about["severity"] == "risky"
    assert about["found"] == "0 of 1 channels can be read, not ops: window_cut"
    assert "upgrade the plan" in about["remedy"]
    assert "unproven" in about["remedy"]


def test_a_rate_limit_ends_the_asking_of_its_team(
    cli: Callable[..., Ended], ledger: Ledger, slack: SlackSandbox
) -> None:
    # Given
    give_teams(ledger, "T1", channels={f"c{number}": f"C{number}" for number in range(5)})
    slack.change(history_per_minute=2)

    # When
    found = by_check(cli("doctor", "--json"))

    # Then
    assert found["history T1"]["severity"] == "risky"
    told = "2 of 5 channels can be read, 3 were not asked, rate_limited"
    assert found["history T1"]["found"] == told
    assert slack.counters["by_method"]["conversations.history"] == 3


def test_a_bounded_number_of_channels_is_asked(
    cli: Callable[..., Ended], ledger: Ledger, slack: SlackSandbox
) -> None:
    # Given
    count = CHANNELS_AT_MOST + 2
    give_teams(ledger, "T1", channels={f"c{number}": f"C{number}" for number in range(count)})

    # When
    found = by_check(cli("doctor", "--json"))

    # Then
    assert found["history T1"]["found"].endswith("2 were not asked")
    assert slack.counters["by_method"]["conversations.history"] == CHANNELS_AT_MOST


@pytest.mark.usefixtures("slack", "terminal")
def test_a_team_with_another_teams_token_fails_and_no_token_is_shown(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    give_teams(ledger, "T1", "T2")

    # When
    ended = cli("doctor")

    # Then
    assert ended.code == ExitCode.REFUSED
    assert "fail  slack T2" in ended.out
    assert "ok    slack T1" in ended.out
    assert max(len(line) for line in ended.out.splitlines()) <= 80
    assert TOKEN not in ended.out + ended.err


def test_a_slack_that_cannot_be_reached_fails(
    cli: Callable[..., Ended], ledger: Ledger, slack: SlackSandbox
) -> None:
    # Given
    give_teams(ledger, "T1")

    # When
    with slack.refusing():
        ended = cli("doctor", "--json")

    # Then
    about = by_check(ended)["slack T1"]
    assert ended.code == ExitCode.REFUSED
    assert "connect_failed" in about["found"]
    assert "POSTONCE_SLACK_URL" in about["remedy"]


def test_a_team_without_a_token_is_told_where_tokens_come_from(
    cli: Callable[..., Ended], ledger: Ledger, slack: SlackSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    give_teams(ledger, "T1")
    monkeypatch.delenv("SLACK_BOT_TOKEN")

    # When
    about = by_check(cli("doctor", "--json"))["slack T1"]

    # Then
    assert about["found"].startswith("installation_missing")
    assert "SLACK_BOT_TOKEN" in about["remedy"]
    assert "POSTONCE_INSTALLATIONS" in about["remedy"]
    assert slack.counters["by_method"] == {}


def test_the_channels_of_a_team_whose_token_fails_are_not_called_readable(
    cli: Callable[..., Ended], ledger: Ledger, slack: SlackSandbox
) -> None:
    # Given
    give_teams(ledger, "T2", channels={"ops": "C0OPS"})

    # When
    found = by_check(cli("doctor", "--json"))

    # Then
    assert found["slack T2"]["severity"] == "refused"
    assert "history T2" not in found
    assert "conversations.history" not in slack.counters["by_method"]


@pytest.mark.usefixtures("slack")
def test_a_bounded_number_of_teams_is_asked_and_the_rest_is_told(
    cli: Callable[..., Ended], ledger: Ledger
) -> None:
    # Given
    give_teams(ledger, *(f"T{number}" for number in range(TEAMS_AT_MOST + 1)))

    # When
    found = by_check(cli("doctor", "--json"))

    # Then
    assert len([check for check in found if check.startswith("slack T")]) == TEAMS_AT_MOST
    assert f"{TEAMS_AT_MOST} of {TEAMS_AT_MOST + 1}" in found["slack"]["found"]


def test_a_queue_that_is_down_fails(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_BROKER_URL", f"redis://127.0.0.1:{free_port()}/0")

    # When
    ended = cli("doctor", "--json")

    # Then
    assert ended.code == ExitCode.REFUSED
    about = by_check(ended)["queue"]
    assert about["severity"] == "refused"
    assert about["found"].startswith("cannot be reached")
    assert "POSTONCE_BROKER_URL" in about["remedy"]


def test_a_store_that_is_down_is_a_finding_too(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_REDIS_URL", f"redis://:secret@127.0.0.1:{free_port()}/0")

    # When
    ended = cli("doctor")

    # Then
    assert ended.code == ExitCode.UNREACHABLE
    assert ended.out.startswith("fail\tstore\tcannot be reached")
    assert "secret" not in ended.out + ended.err


def test_a_store_of_other_partitions_is_a_finding_too(
    cli: Callable[..., Ended], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    ledger.admit()
    monkeypatch.setenv("POSTONCE_PARTITIONS", "7")

    # When
    ended = cli("doctor", "--json")

    # Then
    assert ended.code == ExitCode.REFUSED
    found = by_check(ended)
    assert found["partitions"]["severity"] == "refused"
    assert "workers" in found["not checked"]["found"]
    assert "slack" in found["not checked"]["found"]


@pytest.mark.usefixtures("slack")
@pytest.mark.parametrize(
    ("set_to", "told"),
    [
        ({"LEASE_S": "2"}, "POSTONCE_LEASE_S must be at least 15, "),
        ({"LEASE_S": "1", "POST_DEADLINE_S": "1.003"}, "POSTONCE_LEASE_S must be at least 1.505, "),
        ({"LEASE_S": "700"}, "POSTONCE_LEASE_S must be at most 600, "),
        ({"POST_DEADLINE_S": "500"}, "POSTONCE_POST_DEADLINE_S must be at most 400, "),
    ],
)
def test_a_broken_timing_contract_is_a_finding_too_and_all_else_is_looked_at(
    cli: Callable[..., Ended],
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    set_to: dict[str, str],
    told: str,
) -> None:
    # Given
    give_teams(ledger, "T1")
    for name, value in set_to.items():
        monkeypatch.setenv(f"POSTONCE_{name}", value)

    # When
    ended = cli("doctor", "--json")

    # Then
    found = by_check(ended)
    assert ended.code == ExitCode.REFUSED
    assert found["timing contract"]["severity"] == "refused"
    assert found["timing contract"]["remedy"].startswith(told)
    assert found["slack T1"]["severity"] == "good"
