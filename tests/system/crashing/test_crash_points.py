"""Killed, cut off or left unanswered at every place between two effects: nothing lost or doubled.

`python -m tests.system.crashing` tries the same, and prints what it found as a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.crashing.bystander import Bystander
from tests.system.crashing.campaign import AT_ONCE, points_of, record, try_all, vanished
from tests.system.crashing.effects import scripts_of_the_rooms
from tests.system.crashing.run import Run
from tests.system.crashing.scenarios import SCENARIOS
from tests.system.crashing.ways_of_sending import come_to_rest, start_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.system.crashing.campaign import Recording, Verdict
    from tests.system.crashing.scenarios import Scenario
    from tests.system.crashing.stage import Stage

# One for each promise on the way of one request.
SELECTED = (
    "start-up:service:accept=accepted#1:after",
    "start-up:service:accept=accepted#1:unheard",
    "start-up:projector:dispatch=first#1:after",
    "start-up:projector:queue.enqueue=nothing#1:lost",
    "start-up:projector:fold_requested=applied#1:after",
    "start-up:worker:queue.fetch=something#1:after",
    "start-up:worker:claim=granted#1:after",
    "start-up:worker:intend=go#1:unheard",
    "start-up:worker:chat.postMessage=ok#1:before",
    "start-up:worker:chat.postMessage=ok#1:after",
    "start-up:worker:chat.postMessage=ok#1:missed",
    "start-up:worker:chat.postMessage=ok#1:lost",
    "start-up:worker:settle_sent=ok#1:after",
    "start-up:worker:settle_sent=ok#1:unheard",
    "unreadable:worker:settle_sent=ok#1:missed",
    "followed:service:xack=done#1:after",
)
# They read, for a person.
ELSEWHERE = {"partition_stats", "living_workers"}
# Dramatiq's for who dispatches, and for a worker; an acknowledgement is srem and hdel. The actor
# never raises, so nothing is refused (nack).
OF_THE_QUEUE = {"queue.enqueue", "queue.fetch", "queue.srem", "queue.hdel", "queue.requeue"}
OF_SLACK = {"chat.postMessage", "conversations.history", "conversations.replies", "auth.test"}


def assert_all_hold(verdicts: Sequence[Verdict]) -> None:
    """Where one was never reached, nothing is known of it: it holds no more than the others."""
    failed = [str(each) for each in verdicts if not each.holds]
    assert not failed, "\n".join(failed)


def test_one_request_outlives_a_death_at_each_step_of_its_way(stage: Stage) -> None:
    # Given
    names = {name.partition(":")[0] for name in SELECTED}
    scenarios = [each for each in SCENARIOS if each.name in names]
    found = {str(each): each for each in points_of([record(stage, each) for each in scenarios])}

    # When
    verdicts = try_all(stage, [found[name] for name in SELECTED])

    # Then
    assert_all_hold(verdicts)
    assert [str(each.point) for each in verdicts] == list(SELECTED)


def test_every_effect_of_a_process_comes_through_a_door(stage: Stage) -> None:
    # When
    with Bystander(stage) as bystander, Run(stage, ()) as run:
        start_up(run)
        come_to_rest(run)
        run.crew.close()
        posts = len(run.attempts_of("r1"))

    # Then
    assert bystander.went_around(run.crew.doors) == []
    passed = [place.name for place in run.watch.places]
    assert passed.count("chat.postMessage") == posts == 1


def test_an_effect_that_goes_around_the_doors_is_seen(stage: Stage) -> None:
    # When
    with Bystander(stage) as bystander, Run(stage, ()) as run:
        run.crew.start("projector", POSTONCE_BROKER_URL=stage.store.url)
        run.request("r1")
        run.wait_until_asked("projector", "fold_requested")
        run.crew.close()

    # Then
    assert any(each.startswith("evalsha") for each in bystander.went_around(run.crew.doors))


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_the_scenarios_come_past_all_that_there_is(recordings: Sequence[Recording]) -> None:
    # When
    found = {place.name for recording in recordings for place in recording.places}

    # Then
    wanted = (scripts_of_the_rooms().keys() - ELSEWHERE) | OF_THE_QUEUE | OF_SLACK
    assert wanted - found == set()
    assert not {name for name in found if name.startswith("script ")}


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_nothing_is_lost_or_doubled_wherever_a_process_dies_or_hears_no_answer(
    scenario: Scenario,
    stage: Stage,
    recordings: Sequence[Recording],
    record_property: Callable[[str, object], None],
) -> None:
    # Given
    points = [each for each in points_of(recordings) if each.scenario is scenario]

    # When
    verdicts = try_all(stage, points, at_once=AT_ONCE * (3 if scenario.waits_long else 1))

    # Then
    assert_all_hold(verdicts)
    assert verdicts, f"{scenario.name} leads past no point of its own"
    assert vanished(points, verdicts) == []
    by_chance = len(points) - len(verdicts)
    record_property(
        "measured",
        f"crash points, {scenario.name}: {len(verdicts)} tried, all hold; {by_chance} were there "
        "only by chance",
    )
