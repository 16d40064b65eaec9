"""`postonce status` and `postonce list`: requests as the ledger has them at this moment."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

from rich.table import Table

from actors.commands.exit_codes import ExitCode
from actors.commands.filters import list_chosen
from actors.commands.opening import opened_ledger
from actors.commands.screen import complain, say, say_json, screen
from actors.commands.times import age, relative
from middleware.timing import SECOND_MS
from projector.status import read_status
from projector.utc import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from projector.listing import Filter
    from projector.status import Status

# What a person looks at; a longer table says how to see the rest.
TABLE_ROWS = 100

_UUID_CHARS = 36

_COLOURS = {
    "sent": "green",
    "rejected": "red",
    "expired": "red",
    "unproven": "bold red",
    "uncertain": "yellow",
}


def show_status(tenant: str, message_request_id: str, *, as_json: bool) -> ExitCode:
    with opened_ledger() as ledger:
        status = read_status(ledger, tenant, message_request_id)
    if status is None:
        return unknown_request(tenant, message_request_id)
    if as_json:
        say_json(status.as_json())
    else:
        _show(status)
    return ExitCode.DONE


def unknown_request(tenant: str, message_request_id: str) -> ExitCode:
    complain(
        f'postonce: tenant "{tenant}" has no request "{message_request_id}", '
        "or it ended longer ago than the retention"
    )
    return ExitCode.UNKNOWN_REQUEST


def show_list(wanted: Filter, *, limit: int | None, as_json: bool) -> ExitCode:
    most = limit or most_shown(as_json=as_json)
    with opened_ledger() as ledger:
        found = list_chosen(ledger, wanted)
        show_statuses(islice(found, most), as_json=as_json)
        if most != limit and next(found, None) is not None:
            complain(f"the first {most}; --limit shows more, --status fewer")
    return ExitCode.DONE


def most_shown(*, as_json: bool) -> int | None:
    """As many as a person looks at; None for a program, which gets them all."""
    return TABLE_ROWS if screen().is_terminal and not as_json else None


def show_statuses(found: Iterable[Status], *, as_json: bool) -> int:
    """How many they were: a table on a terminal, else each as soon as it is found."""
    console = screen()
    if as_json or not console.is_terminal:
        count = 0
        for count, each in enumerate(found, start=1):  # noqa: B007 - counted to the last
            if as_json:
                say_json(each.as_json())
            else:
                say(*_cells(each, now_ms=None))
        return count
    rows = list(found)
    console.print(_table(rows) if rows else "no requests")
    return len(rows)


def colour_of(status: str) -> str:
    return _COLOURS.get(status, "")


def pairs_text(pairs: Mapping[str, object]) -> str:
    """`channel C1, ts 1700000000.000100`."""
    return ", ".join(f"{name} {value}" for name, value in pairs.items())


def _show(status: Status) -> None:
    now_ms = current_ms()
    console = screen()
    console.print(f"{status.tenant}/{status.message_request_id}: ", end="")
    console.print(status.status, style=colour_of(status.status))
    lines = {
        "receipt": pairs_text(status.receipt) if status.receipt else None,
        "error": status.error,
        "attempts": str(status.attempts),
        "requested": _when(status.requested_at_ms, now_ms),
        "due": _when(status.due_at_ms, now_ms),
        "settled": _when(status.settled_at_ms, now_ms),
    }
    if status.status == "unproven":
        request = f"{status.tenant} {status.message_request_id}"
        lines["look"] = f"postonce explain {request}"
        lines["then"] = f"postonce redrive {request} --mark-sent TS, or --post-again"
    for name, value in lines.items():
        if value is not None:
            say(f"  {name:<9}  {value}")


def _when(at_ms: int | None, now_ms: int) -> str | None:
    return None if at_ms is None else f"{utc_text(at_ms)}, {relative(at_ms, now_ms=now_ms)}"


def _table(rows: Sequence[Status]) -> Table:
    now_ms = current_ms()
    longest_id = max(len(each.message_request_id) for each in rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("TENANT", overflow="fold")
    # An id in one piece can be copied.
    table.add_column("REQUEST", overflow="fold", min_width=min(longest_id, _UUID_CHARS))
    table.add_column("STATUS", no_wrap=True)
    table.add_column("TRIES", no_wrap=True, justify="right")
    table.add_column("AGE", no_wrap=True)
    table.add_column("ERROR", overflow="fold")
    for each in rows:
        table.add_row(*_cells(each, now_ms=now_ms), style=colour_of(each.status))
    return table


def _cells(status: Status, *, now_ms: int | None) -> tuple[str, ...]:
    """The age is the one that filters mean; without `now_ms`, for programs, the moment of the
    request takes its place.
    """
    return (
        status.tenant,
        status.message_request_id,
        status.status,
        str(status.attempts),
        utc_text(status.requested_at_ms) if now_ms is None else age(now_ms - status.since_ms),
        status.error or "",
    )


def current_ms() -> int:
    """By this machine's clock: it only says how long ago something was."""
    return int(time.time() * SECOND_MS)
