"""A bot token is read off the event loop and within a bound, before a POST is intended.

So a store that is locked or far away makes the delivery wait that needs it, and no POST under way.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from actors.slack.errors import InstallationSlow
from actors.slack.installations import SQLITE_TIMEOUT_S

if TYPE_CHECKING:
    from actors.slack.installations import Installations

# Long for a file on this machine, short for who waits: it is tried again later.
READ_WITHIN_S = 1.0
# SQLite's store calls a lock it has waited for in vain a missing installation.
assert READ_WITHIN_S < SQLITE_TIMEOUT_S

# Not the event loop's own threads, which resolve host names: a store that hangs must not stop that.
_READERS = 4


@dataclass(frozen=True, slots=True)
class BotToken:
    """What posts as the bot of one team; never shown."""

    team_id: str
    secret: str = field(repr=False)


class BotTokens:
    """Usable from any event loop; after `close`, too."""

    def __init__(self, installations: Installations, *, within_s: float = READ_WITHIN_S) -> None:
        self._installations = installations
        self._within_s = within_s
        self._readers: ThreadPoolExecutor | None = None

    async def read(self, team_id: str) -> BotToken:
        """Raises InstallationMissing, InstallationUnreadable or InstallationSlow."""
        secret = self._installations.remembered(team_id)
        if secret is None:
            if self._readers is None:
                self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="installations")
            loop = asyncio.get_running_loop()
            reading = loop.run_in_executor(self._readers, self._installations.token_for, team_id)
            try:
                async with asyncio.timeout(self._within_s):
                    secret = await reading
            except TimeoutError:
                # The reader goes on, and what it finds is remembered for the next time.
                raise InstallationSlow(team_id) from None
        return BotToken(team_id, secret)

    def forget(self, team_id: str) -> None:
        """Slack has refused the token."""
        self._installations.forget(team_id)

    def close(self) -> None:
        """Its threads end as soon as what they read has come."""
        readers, self._readers = self._readers, None
        if readers is not None:
            readers.shutdown(wait=False, cancel_futures=True)
