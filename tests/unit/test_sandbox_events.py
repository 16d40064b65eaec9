from __future__ import annotations

import asyncio

from sandbox.slack.events import EventLog


def first_frames(log: EventLog, *, after: str) -> str:
    async def asked() -> bytes:
        return await anext(log.after(after))

    return asyncio.run(asked()).decode()


def test_several_events_are_told_at_once() -> None:
    # Given
    log = EventLog()
    start = log.last_id

    # When
    log.append("posted", {"n": 1})
    log.append("posted", {"n": 2})

    # Then
    told = first_frames(log, after=start)
    assert [line for line in told.splitlines() if line.startswith("data")] == [
        'data: {"n": 1}',
        'data: {"n": 2}',
    ]


def test_who_missed_more_than_is_kept_is_told_to_read_everything_anew() -> None:
    # Given
    log = EventLog(kept=2)
    start = log.last_id

    # When
    for number in range(3):
        log.append("posted", {"n": number})

    # Then
    assert f"id: {log.last_id}\nevent: reset\n" in first_frames(log, after=start)


def test_an_id_that_was_never_given_out_is_not_trusted() -> None:
    # Given
    log = EventLog()
    run = log.last_id.partition("-")[0]

    # When / Then
    assert "event: reset" in first_frames(log, after=f"{run}-7")
    assert "event: reset" in first_frames(log, after="nonsense")
