"""Where bot tokens come from; a token leaves only as the answer to who asks for its team."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from slack_sdk.oauth.installation_store.file import FileInstallationStore
from slack_sdk.oauth.installation_store.sqlite3 import SQLite3InstallationStore

from actors.slack.errors import (
    InstallationMissing,
    InstallationsUrlInvalid,
    InstallationUnreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from slack_sdk.oauth.installation_store.models.bot import Bot

# Another process refreshes tokens that live for 12 hours, with a short grace for the old one.
# Within this age a refreshed or withdrawn token may go unnoticed; it saves a read at each POST.
MAX_AGE_S = 10.0

# How long a look waits for who writes; slack_sdk leaves it at Python's five seconds.
SQLITE_TIMEOUT_S = 2.0

# Teams remembered at a time; more only costs reading their installations again.
_MAX_TEAMS = 1024

# A team id becomes part of a file's path.
_TEAM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A token becomes part of a header.
_TOKEN = re.compile(r"[!-~]{1,4096}")

# slack_sdk logs more if a logger's own level is DEBUG or not set.
_STORE_LOG = logging.getLogger(f"{__name__}.store")
_STORE_LOG.setLevel(logging.WARNING)

Store = SQLite3InstallationStore | FileInstallationStore


class Installations:
    """`env:` (SLACK_BOT_TOKEN for every team), `sqlite:///absolute/path` or `file:///directory`.

    The SQLite store files its rows under an app's client id: SLACK_CLIENT_ID, or `?client_id=`.
    May be asked from several threads. Raises InstallationsUrlInvalid.
    """

    def __init__(
        self,
        url: str,
        *,
        environ: Mapping[str, str] = os.environ,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scheme = urlsplit(url).scheme
        self._environ = environ
        self._store = None if url == "env:" else installation_store(url, environ=environ)
        self._clock_s = clock_s
        self._remembered: dict[str, _Remembered] = {}
        self._remembering = Lock()

    def token_for(self, team_id: str) -> str:
        """At most MAX_AGE_S old. Raises InstallationMissing or InstallationUnreadable."""
        token = self.remembered(team_id)
        if token is not None:
            return token
        read_at_s = self._clock_s()
        token = self._read(team_id)
        with self._remembering:
            self.forget(team_id)
            while len(self._remembered) >= _MAX_TEAMS:
                self.forget(next(iter(self._remembered)))
            self._remembered[team_id] = _Remembered(token, read_at_s)
        return token

    def remembered(self, team_id: str) -> str | None:
        """The token if it was read within MAX_AGE_S; this reads nothing."""
        remembered = self._remembered.get(team_id)
        if remembered is None or self._clock_s() - remembered.read_at_s >= MAX_AGE_S:
            return None
        return remembered.token

    def forget(self, team_id: str) -> None:
        """The next look reads again: Slack has refused the token."""
        self._remembered.pop(team_id, None)

    def __repr__(self) -> str:
        return f"Installations({self._scheme}:)"

    def _read(self, team_id: str) -> str:
        if not _TEAM_ID.fullmatch(team_id):
            raise InstallationMissing(team_id)
        if self._store is None:
            token = self._environ.get("SLACK_BOT_TOKEN", "").strip()
        else:
            token = _stored_token(self._store, team_id)
        if not token:
            raise InstallationMissing(team_id)
        if not _TOKEN.fullmatch(token):
            raise InstallationUnreadable(team_id)
        return token


def installation_store(url: str, *, environ: Mapping[str, str] = os.environ) -> Store:
    """The slack_sdk store that `url` names; nothing is opened or made yet.

    Raises InstallationsUrlInvalid.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc or not path.strip("/"):
        raise InstallationsUrlInvalid
    match parts.scheme:
        case "sqlite":
            in_url = parse_qs(parts.query).get("client_id")
            client_id = in_url[0] if in_url else environ.get("SLACK_CLIENT_ID", "")
            return _ClosingStore(database=path, client_id=client_id, logger=_STORE_LOG)
        case "file":
            return FileInstallationStore(base_dir=path.rstrip("/"), logger=_STORE_LOG)
        case _:
            raise InstallationsUrlInvalid


class _ClosingConnection(sqlite3.Connection):
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> Literal[False]:
        try:
            return super().__exit__(kind, error, where)
        finally:
            self.close()


class _ClosingStore(SQLite3InstallationStore):
    """slack_sdk leaves connections open until garbage is collected, and waits long for locks."""

    def connect(self) -> sqlite3.Connection:
        if not self.init_called:
            self.init()  # type: ignore[no-untyped-call]  # makes the tables
        return sqlite3.connect(self.database, timeout=SQLITE_TIMEOUT_S, factory=_ClosingConnection)


@dataclass(frozen=True, slots=True)
class _Remembered:
    token: str = field(repr=False)
    read_at_s: float


def _stored_token(store: Store, team_id: str) -> str:
    """Empty if the team has none.

    The SQLite store answers a failed read like a missing row, so neither proves an uninstall.
    """
    # Looking would make an empty database where there is none.
    if isinstance(store, SQLite3InstallationStore) and not Path(store.database).exists():
        return ""
    bot: Bot | None = None
    was_read = False
    # Suppressed, not chained: a JSONDecodeError carries the whole file, token included.
    with suppress(OSError, ValueError, TypeError):
        bot = store.find_bot(enterprise_id=None, team_id=team_id)
        was_read = True
    if not was_read:
        raise InstallationUnreadable(team_id)
    return str(bot.bot_token or "") if bot is not None else ""
