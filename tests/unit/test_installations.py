from __future__ import annotations

import gc
import sqlite3
import traceback
from typing import TYPE_CHECKING

import pytest
from slack_sdk.oauth.installation_store.models.bot import Bot

from actors.slack.errors import (
    InstallationMissing,
    InstallationsUrlInvalid,
    InstallationUnreadable,
)
from actors.slack.installations import MAX_AGE_S, Installations, installation_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# slack_sdk makes its tables by connections which it leaves to the garbage collector, as Python 3.13
# points out. Ours are closed, which has a test of its own.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")

CLIENT = {"SLACK_CLIENT_ID": "111.222"}


@pytest.fixture(params=["sqlite", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of an installation store of each kind, without any installation."""
    yield f"{request.param}://{tmp_path / 'installations'}"
    gc.collect()


def save(url: str, token: str, *, team_id: str = "T1", installed_at: float = 1.0) -> None:
    bot = Bot(
        app_id="A1",
        team_id=team_id,
        bot_token=token,
        bot_id="B1",
        bot_user_id="U1",
        installed_at=installed_at,
    )
    installation_store(url, environ=CLIENT).save_bot(bot)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_environment_s_token_serves_every_team() -> None:
    # Given
    installations = Installations("env:", environ={"SLACK_BOT_TOKEN": " xoxb-1\n"})

    # Then
    assert [installations.token_for(team) for team in ("T1", "T2")] == ["xoxb-1", "xoxb-1"]


@pytest.mark.parametrize("environ", [{}, {"SLACK_BOT_TOKEN": " "}])
def test_an_environment_without_a_token_has_no_installation(environ: dict[str, str]) -> None:
    with pytest.raises(InstallationMissing):
        Installations("env:", environ=environ).token_for("T1")


def test_each_team_has_the_token_it_was_installed_with(url: str) -> None:
    # Given
    save(url, "xoxb-1", team_id="T1")
    save(url, "xoxb-2", team_id="T2")

    # When
    installations = Installations(url, environ=CLIENT)

    # Then
    assert [installations.token_for(team) for team in ("T1", "T2")] == ["xoxb-1", "xoxb-2"]


def test_a_team_that_was_not_installed_is_missing_and_nothing_is_made(
    url: str, tmp_path: Path
) -> None:
    # When
    with pytest.raises(InstallationMissing) as missing:
        Installations(url, environ=CLIENT).token_for("T1")

    # Then
    assert missing.value.team_id == "T1"
    assert list(tmp_path.iterdir()) == []


def test_an_installation_made_later_is_found_at_once(url: str) -> None:
    # Given
    installations = Installations(url, environ=CLIENT)
    with pytest.raises(InstallationMissing):
        installations.token_for("T1")

    # When
    save(url, "xoxb-1")

    # Then
    assert installations.token_for("T1") == "xoxb-1"


def test_a_token_refreshed_by_another_process_is_seen_before_long(url: str) -> None:
    # Given a token that was read
    clock = Clock()
    installations = Installations(url, environ=CLIENT, clock_s=clock)
    save(url, "xoxb-old")
    installations.token_for("T1")

    # When
    save(url, "xoxb-new", installed_at=2.0)

    # Then
    assert installations.token_for("T1") == "xoxb-old"
    clock.now_s = MAX_AGE_S
    assert installations.token_for("T1") == "xoxb-new"


def test_a_forgotten_token_is_read_again(url: str) -> None:
    # Given
    installations = Installations(url, environ=CLIENT, clock_s=Clock())
    save(url, "xoxb-old")
    installations.token_for("T1")
    save(url, "xoxb-new", installed_at=2.0)

    # When
    installations.forget("T1")

    # Then
    assert installations.token_for("T1") == "xoxb-new"


def test_what_is_remembered_is_bounded() -> None:
    # Given a first team that is remembered
    environ = {"SLACK_BOT_TOKEN": "xoxb-old"}
    installations = Installations("env:", environ=environ, clock_s=Clock())
    installations.token_for("T0")
    environ["SLACK_BOT_TOKEN"] = "xoxb-new"
    assert installations.token_for("T0") == "xoxb-old"

    # When more teams come than are remembered
    for number in range(1, 1025):
        installations.token_for(f"T{number}")

    # Then the first is read again
    assert installations.token_for("T0") == "xoxb-new"


@pytest.mark.parametrize("team_id", ["../none-T1", "T1/../../none-T1", "", "T" * 65, "T1\n"])
def test_a_team_id_names_no_path(team_id: str, url: str) -> None:
    # Given
    save(url, "xoxb-1")

    # Then
    with pytest.raises(InstallationMissing):
        Installations(url, environ=CLIENT).token_for(team_id)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('{"bot_token": "xoxb-canary"', id="half_written"),
        pytest.param('{"bot_token": "xoxb-canary", "other": 1}', id="other_fields"),
        pytest.param('["xoxb-canary"]', id="no_object"),
    ],
)
def test_an_unreadable_installation_is_told_apart_and_keeps_its_token(
    content: str, tmp_path: Path
) -> None:
    # Given
    stored = tmp_path / "none-T1" / "bot-latest"
    stored.parent.mkdir()
    stored.write_text(content)

    # When
    with pytest.raises(InstallationUnreadable) as unreadable:
        Installations(f"file://{tmp_path}", environ={}).token_for("T1")

    # Then
    error = unreadable.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert "canary" not in "".join(traceback.format_exception(error))


def test_a_token_that_would_break_a_header_is_unreadable() -> None:
    with pytest.raises(InstallationUnreadable) as unreadable:
        Installations("env:", environ={"SLACK_BOT_TOKEN": "xoxb\r\nX: 1"}).token_for("T1")
    assert "xoxb" not in str(unreadable.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "env",
        "env:SLACK_BOT_TOKEN",
        "sqlite:",
        "sqlite:///",
        "sqlite://relative.db",
        "file://directory",
        "postgresql:///installations",
    ],
)
def test_an_unknown_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(InstallationsUrlInvalid, match="POSTONCE_INSTALLATIONS"):
        Installations(url, environ={})


def test_the_app_of_a_sqlite_store_can_be_named_in_the_url(tmp_path: Path) -> None:
    # Given
    path = tmp_path / "installations"
    save(f"sqlite://{path}", "xoxb-1")

    # When it is, and not in the environment
    url = f"sqlite://{path}?client_id={CLIENT['SLACK_CLIENT_ID']}"
    assert Installations(url, environ={}).token_for("T1") == "xoxb-1"


def test_a_look_into_a_sqlite_store_leaves_no_connection_open(tmp_path: Path) -> None:
    # Given an installation that has been looked up
    url = f"sqlite://{tmp_path / 'installations'}"
    save(url, "xoxb-1")
    installations = Installations(url, environ=CLIENT)
    installations.token_for("T1")
    gc.collect()
    gc.disable()

    # When it is looked up again, without the garbage collector's help
    try:
        installations.forget("T1")
        installations.token_for("T1")
        opened = [
            found for found in gc.get_objects() if issubclass(type(found), sqlite3.Connection)
        ]
        still_open = [connection for connection in opened if _is_open(connection)]
    finally:
        gc.enable()

    # Then
    assert still_open == []


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.cursor()
    except sqlite3.ProgrammingError:
        return False
    return True


def test_repr_shows_no_token() -> None:
    # Given a token that is remembered
    installations = Installations("env:", environ={"SLACK_BOT_TOKEN": "xoxb-canary"})
    installations.token_for("T1")

    # Then
    assert "canary" not in f"{installations!r} {installations} {vars(installations)}".replace(
        repr(vars(installations)["_environ"]), ""
    )
