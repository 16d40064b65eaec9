"""Rows 24, 25 and 27: outcomes are told once and truly, secrets to nobody, and poison ends."""

from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from middleware.errors import PayloadRefused
from sandbox.slack.faults import ErrorCode
from tests.system.deliveries import SLOW
from tests.system.guarantees.points import SAYS_SO
from tests.system.guarantees.small_system import EveryTeam, name_of_script
from tests.system.guarantees.verdicts import assert_posted_once, assert_sent_once, assert_told_once
from tests.system.keyspace_text import text_of_each_key
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from tests.lossy_proxy import LossyProxy
    from tests.system.guarantees.points import Point
    from tests.system.guarantees.small_system import SmallSystem
    from tests.system.processes import Installation

TOKEN = "xoxb-canary-91d7"
TEXT = "canary-text-3b20"
# More than a projector reads at once.
MANY = 130


class _Canary(EveryTeam):
    def token_for(self, team_id: str) -> str:
        assert team_id == "T1"
        return TOKEN


class _SaysTheText(Exception):
    """As the errors of some clients do: the reason holds a piece of what was sent."""

    reason = f"could not send {TEXT} with {TOKEN}"


def test_row_24_an_outcome_whose_reply_was_lost_is_told_once(
    make_system: Callable[..., SmallSystem], way: LossyProxy
) -> None:
    # Given: the server knows the script.
    system = make_system(ledger_way=way.url).start()
    system.ask("r0")
    system.wait_until_settled("r0")
    way.lose_next_reply(to=name_of_script("settle_sent"))

    # When
    system.ask("r1")
    system.wait_until_settled("r1")
    wait_until(lambda: way.lost_replies == 1, description="the reply is lost")
    system.stop_worker()

    # Then
    assert_told_once(system, "r1")
    assert_sent_once(system, "r1")


def test_row_24_events_that_two_projectors_fold_are_folded_once(system: SmallSystem) -> None:
    # Given
    ids = [f"r{number}" for number in range(20)]
    for _ in range(2):
        system.start_projector(lease_ms=1)
    system.start_worker()

    # When
    for each in ids:
        system.ask(each)
    system.wait_until_settled(*ids)
    wait_until(lambda: not system.open_views(), description="all is folded as ended")

    # Then
    folded = Counter(
        event.what for each in ids for event in system.evidence_of(each, source="event")
    )
    assert folded == {"requested": 20, "sent": 20}, "an event was folded twice"


def test_row_24_an_outcome_that_is_folded_before_its_request_stays_its_end(
    system: SmallSystem,
) -> None:
    # Given: so many requests that one's outcome is read in a batch before it.
    later = datetime.fromtimestamp(time.time() + 3_600, UTC).isoformat()
    for number in range(MANY):
        system.ask(f"later-{number}", send_at=later)
    ended = [f"ended-{number}" for number in range(10)]
    for each in ended:
        system.ask(each, template_code="unheard-of")
    system.start_worker()
    system.wait_until_settled(*ended)
    system.stop_worker()

    # When
    system.start_projector()
    wait_until(
        lambda: all(len(system.evidence_of(each, source="event")) == 2 for each in ended),
        description="everything is folded",
    )

    # Then
    events = [each.what for each in system.evidence_of("ended-9", source="event")]
    assert sorted(events) == ["rejected", "requested"]
    open_ones = system.listed_as_open()
    assert open_ones.isdisjoint(ended), f"{len(open_ones & set(ended))} are open for ever"


def test_row_25_neither_the_token_nor_the_text_is_anywhere_it_need_not_be(
    make_system: Callable[..., SmallSystem],
    client: redis.Redis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given: everything is logged that can be, and a POST fails with the text in its error.
    caplog.set_level(logging.DEBUG)
    failed: list[Point] = []

    async def fails_once(point: Point) -> None:
        if point == "posted" and not failed:
            failed.append(point)
            raise _SaysTheText

    system = make_system(installations=_Canary(), at=fails_once)
    system.slack.declare_token(TOKEN, team="T1")
    system.slack.fault(ErrorCode(channel=SLOW, code="invalid_blocks"))
    system.start()

    # When
    system.ask("failed", variables={"name": TEXT})
    system.ask("sent", variables={"name": TEXT})
    system.ask("refused", variables={"name": TEXT}, channel_code="slow")
    with pytest.raises(PayloadRefused):
        system.actor.send("acme", "sent", TEXT)
    system.wait_until_settled("sent", "refused", "failed")

    # Then
    own = {
        name: text
        for name, text in text_of_each_key(client).items()
        if name.startswith(system.ledger.keys.prefix)
    }
    logged = "\n".join(record.getMessage() for record in caplog.records) + caplog.text
    assert any(TEXT in text for text in own.values()), "it was searched for in vain"
    assert {each.headers["authorization"] for each in system.slack.attempts} == {f"Bearer {TOKEN}"}
    assert sum(TOKEN in text for text in (*own.values(), logged)) == 0, "the token is kept"
    assert TEXT not in logged, "the text is logged"
    holding = {name.split(":")[2] for name, text in own.items() if TEXT in text}
    assert holding <= {"requests", "request"}, f"the text is in {', '.join(sorted(holding))}"


def test_row_27_a_request_that_kills_its_worker_ends_and_lets_the_others_through(
    installation: Installation,
) -> None:
    # Given
    installation.ask("poison", max_attempts=2)

    # When
    for _ in range(2):
        worker = installation.worker(
            app="tests.system.guarantees.interrupted_app",
            INTERRUPTED_AT="claimed",
            INTERRUPTED_BY="SIGKILL",
        )
        worker.wait_for(SAYS_SO)
        worker.kill()
    installation.ask("other")
    installation.worker()
    statuses = installation.wait_until_settled("poison", "other")

    # Then
    poison = statuses["poison"]
    assert (poison.status, poison.error) == ("rejected", "poison"), "it goes on killing workers"
    assert poison.attempts == 2
    assert installation.attempts_of("poison") == []
    assert_posted_once(installation, "other")
