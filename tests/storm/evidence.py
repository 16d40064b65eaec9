"""What a person needs to find out how a promise was broken: the request's own story, in full."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from subprocess import run
from typing import TYPE_CHECKING

from tests.storm.judging import posts_by_delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from middleware.keys import Delivery
    from tests.storm.judging import Verdict
    from tests.storm.observing import Observed
    from tests.storm.site import Site
    from tests.storm.striking import Struck

# More than anybody reads; the directory has the rest.
_MOST_SHOWN = 5
# A command line that is started on a busy machine.
_EXPLAIN_S = 60.0


def evidence(
    verdict: Verdict, observed: Observed, struck: Sequence[Struck], site: Site
) -> Iterator[str]:
    """Lines, while the site still runs."""
    if verdict.holds:
        return
    attempts = site.slack.attempts()
    posts = posts_by_delivery(observed.followed, observed.posts)
    markers = {each.delivery: each.marker for each in observed.followed}
    for delivery, wrong in islice(verdict.culprits.items(), _MOST_SHOWN):
        yield f"\n=== {delivery}: {', '.join(wrong)}"
        yield _explained(delivery, site)
        yield "what Slack holds of it:"
        for post in posts[delivery]:
            at = _time(float(post["ts"]))
            yield f"  {at} {post['channel']} ts {post['ts']} marker {post['marker']}"
        yield "what arrived at Slack of it, in order:"
        for attempt in attempts:
            if attempt["marker"] == markers[delivery]:
                yield f"  number {attempt['number']}: {_facts(attempt)}"
        for what, events in (
            ("the log tells followers", observed.told),
            ("a follower has heard", observed.heard),
            ("its timeline holds", observed.folded),
        ):
            yield f"{what}: {', '.join(events.get(delivery, ()))}"
    if len(verdict.culprits) > _MOST_SHOWN:
        yield f"\n… and {len(verdict.culprits) - _MOST_SHOWN} more"
    yield "\nwhat was struck, in UTC:"
    for each in struck:
        yield f"  {_time(each.at_s)} {each.what}: {each.detail}"


def _explained(delivery: Delivery, site: Site) -> str:
    postonce = str(Path(sys.executable).with_name("postonce"))
    ended = run(
        [postonce, "explain", delivery.tenant, delivery.id],
        env=dict(site.environment),
        capture_output=True,
        check=False,
        text=True,
        timeout=_EXPLAIN_S,
    )
    return ended.stdout + ended.stderr


def _facts(attempt: dict[str, object]) -> str:
    return ", ".join(f"{name} {attempt[name]}" for name in ("stored", "fault", "answer"))


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%H:%M:%S.%f")[:-3]
