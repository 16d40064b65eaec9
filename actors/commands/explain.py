"""`postonce explain`: the whole chain of evidence of one request, and what to do about it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from actors.commands.exit_codes import ExitCode
from actors.commands.explain_words import account, verdict
from actors.commands.opening import opened_ledger
from actors.commands.screen import printable, say_json, screen
from actors.commands.status import colour_of, pairs_text, unknown_request
from actors.commands.times import day, relative, span, time_of_day
from middleware.answers import text_to_mapping
from middleware.timing import SECOND_MS
from projector.explanation import read_explanation
from projector.utc import utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from projector.explanation import Evidence, Explanation

# Facts worth a line of their own; the rest is said by the verdict or by the evidence.
_FACTS = ("marker", "priority", "thread_ts", "target", "looks")


def show_explanation(tenant: str, message_request_id: str, *, as_json: bool) -> ExitCode:
    with opened_ledger() as ledger:
        explanation = read_explanation(ledger, tenant, message_request_id)
    if explanation is None:
        return unknown_request(tenant, message_request_id)
    if as_json:
        say_json(_as_json(explanation))
    else:
        _show(f"{tenant}/{message_request_id}", explanation)
    return ExitCode.DONE


def _as_json(explanation: Explanation) -> dict[str, object]:
    status = explanation.status
    return {
        "status": None if status is None else status.as_json(),
        "verdict": verdict(explanation),
        "facts": dict(explanation.facts),
        "evidence": [
            {
                "at": utc_text(each.at_ms),
                "source": each.source,
                "what": each.what,
                "details": dict(each.details),
            }
            for each in explanation.evidence
        ],
    }


def _show(name: str, explanation: Explanation) -> None:
    console = screen()
    state = explanation.status.status if explanation.status else "forgotten"
    title = Text(f"{name} is ").append(state, style=colour_of(state))
    attempts, most = explanation.facts.get("attempts"), explanation.facts.get("max_attempts")
    if attempts is not None:
        title.append(f", attempts {attempts}" + (f" of {most}" if most else ""))
    console.print(title, style="bold")
    console.print(printable(verdict(explanation)))
    console.print()
    facts = _grid()
    for fact in _FACTS:
        if fact in explanation.facts:
            facts.add_row(fact, printable(_fact_text(explanation.facts[fact])))
    console.print(facts)
    console.print()
    happened = [each for each in explanation.evidence if each.source != "record"]
    ahead = [each for each in explanation.evidence if each.source == "record"]
    _show_happened(console, happened)
    _show_ahead(console, ahead)


def _fact_text(fact: str) -> str:
    return pairs_text(text_to_mapping(fact)) if fact.startswith("{") else fact


def _grid() -> Table:
    return Table.grid(padding=(0, 2, 0, 0))


def _show_happened(console: Console, evidence: Sequence[Evidence]) -> None:
    if not evidence:
        return
    first_ms = evidence[0].at_ms
    shown_day = ""
    table = _grid()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in evidence:
        if day(each.at_ms) != shown_day:
            shown_day = day(each.at_ms)
            table.add_row(shown_day, style="bold")
        what = each.what if each.source == "ledger" else f"event {each.what}"
        style = "dim" if each.source == "event" else colour_of(each.what)
        table.add_row(
            time_of_day(each.at_ms),
            f"+{span(each.at_ms - first_ms)}",
            what,
            printable(account(each)),
            style=style,
        )
    console.print("what happened, in UTC", style="bold")
    console.print(table)


def _show_ahead(console: Console, evidence: Sequence[Evidence]) -> None:
    if not evidence:
        return
    now_ms = int(time.time() * SECOND_MS)
    table = _grid()
    for each in evidence:
        table.add_row(utc_text(each.at_ms), relative(each.at_ms, now_ms=now_ms), each.what)
    console.print()
    console.print("its times, by the record", style="bold")
    console.print(table)
