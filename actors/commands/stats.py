"""`postonce stats`: how much stands where, in the ledger and on the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.commands.exit_codes import ExitCode
from actors.commands.opening import count_queue, opened_broker, opened_ledger
from actors.commands.screen import say, say_json
from actors.settings import Settings
from projector.stats import stats

if TYPE_CHECKING:
    from collections.abc import Mapping

# In the order that users rely on, each with what it tells.
MEANINGS = {
    "waiting": "to be sent as soon as a worker takes them",
    "delayed": "wait for their time: send_at, a retry, a rate limit",
    "claimed": "taken by a worker, nothing posted yet",
    "sending": "being posted right now",
    "uncertain": "posted or not: to be looked for in Slack",
    "unproven": "posted or not: a person must look (explain says where)",
    "rejected": "refused for good (explain says why)",
    "queued": "messages on the queue, those that workers hold included",
    "dead_letters": "messages that Dramatiq gave up; the ledger goes on without them",
    "oldest_due_age_s": "seconds that the most overdue one is late",
    "projector_lag": "events that the projector has not folded yet",
}


def show_stats(*, as_json: bool) -> ExitCode:
    settings = Settings.from_environment()
    with opened_ledger(settings) as ledger, opened_broker(settings) as broker:
        counted = stats(ledger)
        on_queue = count_queue(broker)
    numbers: Mapping[str, float] = {
        name: getattr(on_queue if hasattr(on_queue, name) else counted, name) for name in MEANINGS
    }
    if as_json:
        say_json(numbers)
    else:
        for name, meaning in MEANINGS.items():
            say(f"{name:<16}  {numbers[name]:>8}  {meaning}")
    return ExitCode.DONE
