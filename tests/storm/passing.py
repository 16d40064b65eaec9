"""A storm from its first request to its verdict: trouble for a while, then rest, then the count."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING

from tests.storm.forecast import requests_of
from tests.storm.judging import Verdict, judge
from tests.storm.lies import is_of_post, kind_of, lies_of
from tests.storm.observing import Observed, Trouble, heard, observe, told
from tests.storm.shortfalls import to_be_tried
from tests.storm.striking import Striking
from tests.storm.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.process_group import ProcessGroup
    from sandbox.slack.faults import Fault
    from tests.storm.calls import Call
    from tests.storm.forecast import Storm
    from tests.storm.site import Site

# Until the services have read their lines.
_BEGIN_IN_S = 1.5
# Longer than a service asks again, and than supervisors leave what died again and again at rest.
_LAST_ANSWERS_S = 120.0
# Doubled delays of what failed again and again in the storm, and windows of what was stolen again.
_REST_S = 480.0
# Who follows outcomes has been told of all but the last ones by then.
_HEARD_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """`calls` counts by Slack's method; `rest_s` is how long it took until all was settled."""

    verdict: Verdict
    observed: Observed
    striking: Striking
    calls: dict[str, int]
    seconds: float
    rest_s: float


def pass_over(site: Site, storm: Storm, say: Callable[[str], None]) -> Passed:
    """Lets the storm pass over the site, which runs; `say` gets a line a second."""
    asked, calls = requests_of(storm)
    striking = Striking(site, storm)
    site.slack.change(history_readable=storm.readable)
    watch = Watch(site, striking, say)
    with ExitStack() as following:
        follower = _follower(site, following)
        trouble = _trouble(site, storm, striking, watch, calls)
        calm_s = time.monotonic()
        notices = [*trouble.notices, *_unrest(site, watch, follower)]
        rested_s = time.monotonic()
        observed = observe(site, storm, asked, calls, replace(trouble, notices=notices))
    return Passed(
        verdict=judge(observed),
        observed=observed,
        striking=striking,
        calls=site.slack.calls(),
        seconds=rested_s - watch.begun_s,
        rest_s=rested_s - calm_s,
    )


def _trouble(
    site: Site, storm: Storm, striking: Striking, watch: Watch, calls: Sequence[Call]
) -> Trouble:
    """Until it has done its worst, or has taken too long."""
    asked = len({each.id for each in calls})
    notices = []
    with ExitStack() as ending:
        services = _services(site, calls, ending)
        # Whoever leaves stops the blows first, and waits for the last one to be over.
        blows = ending.enter_context(ThreadPoolExecutor(1))
        stopping = Event()
        ending.callback(stopping.set)
        stopping.wait(_BEGIN_IN_S)
        site.slack.lie(lies_of(storm))
        struck = blows.submit(striking.run, stopping)
        if not watch.until(
            lambda: (
                struck.done() and not services.is_running and site.received() >= to_be_tried(asked)
            ),
            within_s=storm.seconds + _LAST_ANSWERS_S,
        ):
            notices.append(f"the storm was not over {_LAST_ANSWERS_S:g} s after its time")
        notices += _ends(services)
        stopping.set()
        struck.result()
    received, lies = site.received(), site.slack.struck()
    site.slack.tell_the_truth()
    return Trouble(
        blows=striking.counts,
        post_faults=_by_kind((lie, times) for lie, times in lies if is_of_post(lie)),
        read_faults=_by_kind((lie, times) for lie, times in lies if not is_of_post(lie)),
        received=received,
        notices=notices,
    )


def _unrest(site: Site, watch: Watch, follower: ProcessGroup) -> Iterator[str]:
    """What did not come to rest in time."""
    if not watch.until(watch.is_at_rest, within_s=_REST_S):
        yield f"all was not at rest {_REST_S:g} s after the storm"
    in_all = {delivery: set(events) for delivery, events in told(site).items()}

    def has_heard_all() -> bool:
        by_now = {delivery: set(events) for delivery, events in heard(site).items()}
        return by_now == in_all or not follower.is_running

    watch.until(has_heard_all, within_s=_HEARD_S)
    if not follower.is_running:
        yield f"who follows outcomes ended: {_last_line(follower)}"


def _services(site: Site, calls: Sequence[Call], ending: ExitStack) -> ProcessGroup:
    """The process that asks, from `_BEGIN_IN_S` from now on."""
    calls_file = site.directory / "calls.jsonl"
    lines = "".join(f"{_addressed(call, site).model_dump_json()}\n" for call in calls)
    calls_file.write_text(lines, encoding="utf-8")
    # There also where the process never comes to write it.
    site.answers_file.touch()
    files = (str(calls_file), str(site.answers_file))
    begin_s = time.time() + _BEGIN_IN_S
    return site.start("services", ending, "-m", "tests.storm.services", str(begin_s), *files)


def _follower(site: Site, ending: ExitStack) -> ProcessGroup:
    site.heard_file.touch()
    return site.start("follower", ending, "-m", "tests.storm.following", str(site.heard_file))


def _ends(services: ProcessGroup) -> Iterator[str]:
    """What is wrong with how they ended."""
    if services.is_running:
        yield "the services were still asking"
    elif code := services.wait():
        yield f"the services ended with {code}: {_last_line(services)}"


def _last_line(process: ProcessGroup) -> str:
    return "".join(process.log.splitlines()[-1:])


def _addressed(call: Call, site: Site) -> Call:
    if not call.is_reply:
        return call
    thread_ts = site.threads[call.tenant, call.channel_code]
    return call.model_copy(update={"thread_ts": thread_ts})


def _by_kind(lies: Iterator[tuple[Fault, int]]) -> Counter[str]:
    """Those that were never told, too."""
    counts: Counter[str] = Counter()
    for lie, times in lies:
        counts[kind_of(lie)] += times
    return counts
