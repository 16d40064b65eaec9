"""`postonce redrive`: what ended without a post is tried again, by the order of a person.

What Slack may have is posted again only if that very thing is ordered; what was sent never is.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from itertools import islice
from operator import length_hint
from typing import TYPE_CHECKING, assert_never

from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn

from actors.commands.carrying_out import again_of
from actors.commands.exit_codes import ExitCode
from actors.commands.filters import list_chosen
from actors.commands.marking import mark
from actors.commands.opening import opened_for_orders
from actors.commands.order_answers import Answered, redriven
from actors.commands.progress import progress_of
from actors.commands.redrive_options import MarkSent, RedriveMany, RedriveOne, ShowMany, meaning_of
from actors.commands.screen import complain, say
from actors.commands.status import current_ms, most_shown, show_statuses
from middleware.dispatch_once import new_marker
from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery
from middleware.operating import redrive
from projector.redriving import redrive_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actors.commands.redrive_options import Options
    from middleware.ledger import Ledger


def redrive_as(options: Options, *, as_json: bool) -> ExitCode:
    meaning = meaning_of(options, now_ms=current_ms())
    with opened_for_orders() as ledger:
        match meaning:
            case RedriveOne():
                return _redrive_one(ledger, meaning).tell(as_json=as_json)
            case MarkSent():
                return mark(ledger, meaning).tell(as_json=as_json)
            case ShowMany():
                return _show_many(ledger, meaning, as_json=as_json)
            case RedriveMany():
                return _redrive_many(ledger, meaning, as_json=as_json)
            case unreachable:
                assert_never(unreachable)


def _redrive_one(ledger: Ledger, asked: RedriveOne) -> Answered:
    call = redrive(
        ledger, asked.delivery, asked.order, marker=new_marker(), post_again=asked.post_again
    )
    return redriven(asked.delivery, ledger.run(call))


def _show_many(ledger: Ledger, asked: ShowMany, *, as_json: bool) -> ExitCode:
    found = list_chosen(ledger, asked.wanted)
    shown = show_statuses(islice(found, most_shown(as_json=as_json)), as_json=as_json)
    count = shown + sum(1 for _ in found)
    which = "" if shown == count else f" (the first {shown} are shown)"
    complain(f"a dry run, nothing was changed: --yes redrives {count}{which}")
    return ExitCode.DONE


def _redrive_many(ledger: Ledger, asked: RedriveMany, *, as_json: bool) -> ExitCode:
    # All of them first: what is redriven leaves the very list that is being read.
    deliveries = [
        Delivery(found.tenant, found.message_request_id)
        for found in list_chosen(ledger, asked.wanted)
    ]
    counts: Counter[str] = Counter()
    remaining = iter(deliveries)
    answers = redrive_each(ledger, remaining, asked.order, post_again=asked.post_again)
    try:
        with _progress(len(deliveries)) as advance:
            for delivery, answer in answers:
                answered = redriven(delivery, answer)
                counts[answered.result] += 1
                if as_json or answered.exit_code is not ExitCode.DONE:
                    answered.tell(as_json=as_json)
                advance()
        if not as_json:
            say(_spoken(counts))
        # Not later, when nobody knows any more how far it came.
        sys.stdout.flush()
    except (LedgerUnavailable, BrokenPipeError, KeyboardInterrupt, SystemExit):
        handed_over = len(deliveries) - length_hint(remaining)
        far = _far(counts.total(), of=len(deliveries), handed_over=handed_over)
        complain(f"postonce: stopped after {far}; {again_of(post_again=asked.post_again)}")
        raise
    return ExitCode.DONE if counts.keys() <= {"redriven"} else ExitCode.REFUSED


def _far(answered: int, *, of: int, handed_over: int) -> str:
    """Of what was handed to the store and is not answered yet nothing is known here."""
    unknown = handed_over - answered
    more = f", perhaps {unknown} more were redriven" if unknown else ""
    return f"{answered} of {of}{more}"


def _spoken(counts: Counter[str]) -> str:
    refused = counts.total() - counts["redriven"]
    return f"{counts['redriven']} redriven, {refused} refused"


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """Nothing at all unless stderr is a terminal."""
    columns = (BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn())
    with progress_of(*columns) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
