"""`postonce doctor`: everything that keeps messages from being sent, each with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from actors.commands.doctor_checks import (
    NOT_CHECKED,
    check_ledger,
    check_queue,
    check_timing,
    unusable,
    with_timing_that_holds,
)
from actors.commands.exit_codes import ExitCode
from actors.commands.screen import printable, say, say_json, screen
from actors.commands.slack_checks import check_slack
from actors.commands.standing_checks import check_standing
from actors.settings import Settings
from middleware.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from middleware.admission import Finding, Severity

_SHOWN: dict[Severity, tuple[str, str]] = {
    "good": ("ok", "green"),
    "risky": ("warn", "yellow"),
    "refused": ("fail", "bold red"),
}
_WORD_WIDTH = 4
# Of "maxmemory-policy", and of "slack" with a team's id.
_CHECK_WIDTH = 17


def examine(*, as_json: bool) -> ExitCode:
    console = screen()
    worst = ExitCode.DONE
    for finding in _findings():
        if finding.severity == "refused" and worst is ExitCode.DONE:
            worst = ExitCode.UNREACHABLE if finding.check == "store" else ExitCode.REFUSED
        if as_json:
            say_json(_as_json(finding))
        elif not console.is_terminal:
            say(_SHOWN[finding.severity][0], finding.check, finding.found, finding.remedy)
        else:
            # Each as it is found: Slack may take its time.
            console.print(_row(finding))
    return worst


def _findings() -> Iterator[Finding]:
    """What needs the store is asked only of a store that is of use."""
    settings = Settings.from_environment()
    about_timing = check_timing(settings)
    if about_timing.severity == "refused":
        settings = with_timing_that_holds(settings)
    ledger = settings.ledger()
    try:
        about_store = check_ledger(ledger)
        yield from about_store
        yield about_timing
        yield from check_queue(settings)
        if any(finding.severity == "refused" for finding in about_store):
            yield NOT_CHECKED
            return
        try:
            yield from check_standing(ledger)
            yield from check_slack(settings, ledger)
        except LedgerUnavailable as error:
            yield unusable(error)
            yield NOT_CHECKED
    finally:
        ledger.store.close()


def _as_json(finding: Finding) -> dict[str, str]:
    return {
        "check": finding.check,
        "severity": finding.severity,
        "found": finding.found,
        "remedy": finding.remedy,
    }


def _row(finding: Finding) -> Table:
    word, style = _SHOWN[finding.severity]
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=_WORD_WIDTH)
    row.add_column(width=_CHECK_WIDTH, overflow="fold")
    row.add_column(overflow="fold")
    row.add_row(Text(word, style=style), finding.check, printable(finding.found))
    if finding.remedy:
        row.add_row("", "", printable(f"{finding.remedy.rstrip('.')}."))
    return row
