"""What the Slack gateway raises: nothing here holds a token, message text or another error."""

from __future__ import annotations

import re

# A Slack code or the name of an exception class; anything else could be a piece of an answer.
_SAYABLE = re.compile(r"[A-Za-z0-9_]{1,64}")


class FateUnknown(Exception):
    """The message may or may not be in Slack: `reason` is a code or an exception's class name."""

    def __init__(self, reason: str) -> None:
        self.reason = reason if _SAYABLE.fullmatch(reason) else "unreadable_reason"
        super().__init__(self.reason)


class InstallationMissing(Exception):
    """No bot token is known for the team: install the app there, or check the installations."""

    code = "installation_missing"

    def __init__(self, team_id: str) -> None:
        self.team_id = team_id
        super().__init__(f"no bot token is known for team {team_id}")


class InstallationUnreadable(Exception):
    """The team's installation is there but cannot be read as one, perhaps while it is written."""

    code = "installation_unreadable"

    def __init__(self, team_id: str) -> None:
        self.team_id = team_id
        super().__init__(f"the installation of team {team_id} cannot be read")


class InstallationSlow(Exception):
    """The team's installation was not read in time: its store is locked, far away or overloaded."""

    code = "installation_slow"

    def __init__(self, team_id: str) -> None:
        self.team_id = team_id
        super().__init__(f"the installation of team {team_id} was not read in time")


class InstallationsUrlInvalid(ValueError):
    """POSTONCE_INSTALLATIONS is none of `env:`, `sqlite:///absolute/path`, `file:///directory`."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class PostByPassed(Exception):
    """Stops a request whose time is over at the last moment at which nothing has been written."""


class ConnectionStale(Exception):
    """Stops a request whose answer could not be told from what was said before it was asked."""


class WrittenInPart(ConnectionAbortedError):
    """The kernel took a part of a request, and is not to be given the rest later."""


class RedirectForbidden(Exception):
    """Slack does not redirect; following one could post again, or post somewhere else."""
