"""Each workspace has a token of its own, from which the stand-in for Slack knows whose it is.

The files are those of slack_sdk's FileInstallationStore, which only the actors may import.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def install(directory: Path, teams: Iterable[str]) -> None:
    """Lay out what `POSTONCE_INSTALLATIONS=file://DIRECTORY` reads."""
    for team in teams:
        bot = {
            "team_id": team,
            "bot_token": f"xoxb-{team}-demo",
            "bot_id": f"B{team[1:]}",
            "bot_user_id": f"U{team[1:]}",
            "installed_at": 0.0,
        }
        # No Slack organisation is above the team, which the store spells so.
        file = directory / f"none-{team}" / "bot-latest"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(bot), encoding="utf-8")
