"""A storm from its first request to its verdict: trouble for a while, then rest, then the count."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, cast

from middleware.errors import LedgerUnavailable
from middleware.keys import Delivery
from projector.stats import stats
from sandbox.demo.followed import follow
from tests.storm.calls import Answer
from tests.storm.forecast import blows_of, requests_of, robberies_of
from tests.storm.judging import TAKEN, Observed, Verdict, judge
from tests.storm.lies import lies_of
from tests.storm.striking import Striking

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sandbox.process_group import ProcessGroup
    from tests.storm.calls import Call
    from tests.storm.forecast import Asked, Storm
    from tests.storm.site import Site

# Until the services have read their lines.
_BEGIN_IN_S = 1.5
# Of what is asked for; a storm in which workers were never up would have shown nothing.
_TRIED = 0.5
_LOOK_EVERY_S = 1.0
# Longer than a service asks again.
_LAST_ANSWERS_S = 70.0
# Doubled delays of what failed again and again in the storm, and windows of what was stolen again.
_REST_S = 480.0
_Entries = list[tuple[str, dict[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """`struck` and `faults` count by kind, `calls` by Slack's method; `rest_s` is how long it took
    until all was settled.
    """

    verdict: Verdict
    observed: Observed
    striking: Striking
    calls: dict[str, int]
    faults: dict[str, int]
    seconds: float
    rest_s: float

    @property
    def struck(self) -> Counter[str]:
        return self.striking.counts


def pass_over(site: Site, storm: Storm, say: Callable[[str], None]) -> Passed:
    """Lets the storm pass over the site, which runs; `say` gets a line a second."""
    asked, calls = requests_of(storm)
    striking = Striking(site, blows_of(storm), robberies_of(storm))
    site.slack.change(history_readable=storm.readable)
    watch = _Watch(site, striking, say)
    with ExitStack() as ending:
        services = _services(site, calls, ending)
        # Whoever leaves stops the blows first, and waits for the last one to be over.
        blows = ending.enter_context(ThreadPoolExecutor(1))
        stopping = Event()
        ending.callback(stopping.set)
        stopping.wait(_BEGIN_IN_S)
        site.slack.lie(lies_of(storm))
        struck = blows.submit(striking.run, stopping)
        watch.until(
            lambda: struck.done() and not services.is_running and watch.has_tried(len(asked)),
            within_s=storm.seconds + _LAST_ANSWERS_S,
        )
        stopping.set()
        struck.result()
    site.slack.tell_the_truth()
    calm_s = time.monotonic()
    watch.until(watch.is_at_rest, within_s=_REST_S)
    observed = _observed(site, asked)
    return Passed(
        verdict=judge(observed, may_be_unproven=not storm.readable),
        observed=observed,
        striking=striking,
        calls=site.slack.calls(),
        faults=site.slack.struck(),
        seconds=time.monotonic() - watch.begun_s,
        rest_s=time.monotonic() - calm_s,
    )


class _Watch:
    """Looks once a second, and says what it sees."""

    def __init__(self, site: Site, striking: Striking, say: Callable[[str], None]) -> None:
        self.begun_s = time.monotonic()
        self._site = site
        self._striking = striking
        self._say = say
        self._pausing = Event()

    def until(self, is_over: Callable[[], bool], *, within_s: float) -> None:
        """Or until it has taken too long, which the verdict tells."""
        deadline_s = time.monotonic() + within_s
        while not is_over() and time.monotonic() < deadline_s:
            self._say(self._line())
            for host in self._site.hosts:
                host.check()
            self._pausing.wait(_LOOK_EVERY_S)

    def has_tried(self, asked: int) -> bool:
        """Whether workers were up for long enough in the trouble to meet it."""
        return self._site.slack.totals()["received"] >= _TRIED * asked

    def is_at_rest(self) -> bool:
        return self._open() == 0

    def _line(self) -> str:
        totals = self._site.slack.totals()
        is_open = self._open()
        return (
            f"{time.monotonic() - self.begun_s:5.0f} s  "
            f"POSTs {totals['received']}  posted {totals['stored']}  "
            f"open {'? (the store is away)' if is_open is None else is_open}  "
            f"faults {totals['faults']}  blows {len(self._striking.struck)}"
        )

    def _open(self) -> int | None:
        try:
            now = stats(self._site.ledger)
        except LedgerUnavailable:
            return None
        return now.waiting + now.delayed + now.claimed + now.sending + now.uncertain


def _services(site: Site, calls: Sequence[Call], ending: ExitStack) -> ProcessGroup:
    """The process that asks, from `_BEGIN_IN_S` from now on."""
    calls_file = site.directory / "calls.jsonl"
    lines = "".join(f"{_addressed(call, site).model_dump_json()}\n" for call in calls)
    calls_file.write_text(lines, encoding="utf-8")
    files = (str(calls_file), str(_answers_file(site)))
    begin_s = time.time() + _BEGIN_IN_S
    return site.start("services", ending, "-m", "tests.storm.services", str(begin_s), *files)


def _addressed(call: Call, site: Site) -> Call:
    if not call.is_reply:
        return call
    thread_ts = site.threads[call.tenant, call.channel_code]
    return call.model_copy(update={"thread_ts": thread_ts})


def _observed(site: Site, asked: Sequence[Asked]) -> Observed:
    lines = _answers_file(site).read_text(encoding="utf-8").splitlines()
    answers = [Answer.model_validate_json(line) for line in lines]
    taken = {each.id for each in answers if each.does == "request" and each.answer in TAKEN}
    deliveries = [Delivery(each.tenant, each.id) for each in asked if each.id in taken]
    return Observed(
        asked=asked,
        answers=answers,
        followed=list(follow(site.ledger, deliveries)),
        posts=site.posts(),
        told=_told(site),
    )


def _told(site: Site) -> dict[Delivery, list[str]]:
    """Every outcome event there is, in order."""
    told: defaultdict[Delivery, list[str]] = defaultdict(list)
    keys = site.ledger.keys
    for partition in range(keys.partitions):
        stream = site.ledger.store.client.xrange(keys.outcomes(partition))
        for _, fields in cast("_Entries", stream):
            told[Delivery(fields["tenant"], fields["id"])].append(fields["event"])
    return told


def _answers_file(site: Site) -> Path:
    return site.directory / "answers.jsonl"
